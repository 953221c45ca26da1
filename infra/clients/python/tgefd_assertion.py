"""Verifies the signed identity assertion of the edge authorizer (docs/guides/identity-assertion.md).

Needs PyJWT with cryptography and nothing else; `fastapi_assertion.py` makes a FastAPI dependency of it. The assertion names the
caller for exactly one method, path and service. Query, body and other headers are not covered, and what a caller may do with
its scopes is the service's to say.
"""

from __future__ import annotations

import json
import threading
import time
import urllib.request
from dataclasses import dataclass, field
from typing import Any, Callable, Mapping, Protocol

import jwt

ASSERTION_HEADER = "x-tgefd-assertion"

_MAX_LIFETIME_SECONDS = 60
_MAX_ASSERTION_CHARACTERS = 8192
_MAX_KEY_SET_BYTES = 64 * 1024
_KEY_SET_TTL_SECONDS = 60.0
_KEY_SET_REFRESH_SECONDS = 45.0
_REFETCH_COOLDOWN_SECONDS = 10.0
_FETCH_TIMEOUT_SECONDS = 3.0
_AUTH_METHODS = frozenset({"jwt", "mtls", "api_key", "none"})
_TYPES = {"tgefd": "tgefd-assertion+jwt", "txn-token": "txntoken+jwt"}
_KEY_SHAPES = {"EdDSA": ("OKP", "Ed25519"), "ES256": ("EC", "P-256")}
# All claims are checked here, against a clock that can be handed in; PyJWT checks the signature.
_SIGNATURE_ONLY = {
    f"verify_{claim}": False for claim in ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")
}


class AssertionRefused(Exception):
    """The assertion does not hold for this request. `reason` is for the log, not for the caller."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class KeysUnavailable(Exception):
    """The key set could not be had: an outage of ours, a 503."""


@dataclass(frozen=True)
class Caller:
    """Who calls, as the authorizer decided about exactly this request."""

    subject: str
    scopes: tuple[str, ...]
    auth_method: str
    decision_id: str
    expires_at: int
    # Issuer of the caller's token, and the claims that the authorizer forwards (TGEFD_FORWARD_CLAIMS).
    idp: str | None = None
    claims: Mapping[str, Any] = field(default_factory=dict)


class ReplayCache(Protocol):
    """Remembers what was used. For several processes it must be one shared store."""

    def first(self, jti: str, until: float) -> bool:
        """True the first time a `jti` comes by; it may be forgotten after `until` (epoch seconds)."""


class MemoryReplayCache:
    """A replay cache of this process. Full of assertions that still live it refuses new ones: a flood must not make it forget."""

    def __init__(self, max_entries: int = 100_000, clock: Callable[[], float] = time.time) -> None:
        self._used: dict[str, float] = {}
        self._max_entries = max_entries
        self._clock = clock
        self._lock = threading.Lock()

    def first(self, jti: str, until: float) -> bool:
        now = self._clock()
        with self._lock:
            if self._used.get(jti, 0.0) > now:
                return False
            if len(self._used) >= self._max_entries:
                self._used = {known: end for known, end in self._used.items() if end > now}
                if len(self._used) >= self._max_entries:
                    return False
            self._used[jti] = until
            return True


class RemoteKeys:
    """The authorizer's key set by HTTP: renewed after 45 seconds, dead after 60, asked again at once for an unknown `kid`; at most
    one fetch every ten seconds."""

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        if not url.startswith(("https://", "http://")):
            raise ValueError("the key set's URL must be https: or http:")
        self._url = url
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: Mapping[str, Mapping[str, Any]] | None = None
        self._fetched_at = float("-inf")
        self._asked_at = float("-inf")

    def find(self, kid: str) -> Mapping[str, Any] | None:
        """The JWK of this `kid`, or None. Raises KeysUnavailable when there is no usable key set."""
        with self._lock:
            now = self._clock()
            due = now - self._fetched_at >= _KEY_SET_REFRESH_SECONDS
            missing = self._keys is None or kid not in self._keys
            if (due or missing) and now - self._asked_at >= _REFETCH_COOLDOWN_SECONDS:
                self._asked_at = now
                self._refresh(now)
            # An expired set never serves: a retired key must not live on through an outage.
            if self._keys is None or now - self._fetched_at >= _KEY_SET_TTL_SECONDS:
                raise KeysUnavailable
            return self._keys.get(kid)

    def _refresh(self, now: float) -> None:
        try:
            with urllib.request.urlopen(self._url, timeout=_FETCH_TIMEOUT_SECONDS) as response:  # noqa: S310
                body = response.read(_MAX_KEY_SET_BYTES + 1)
            if len(body) > _MAX_KEY_SET_BYTES:
                return
            keys = json.loads(body)["keys"]
            self._keys = {key["kid"]: key for key in keys if isinstance(key.get("kid"), str)}
            self._fetched_at = now
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return  # The last good set stands until it expires.


class AssertionVerifier:
    """Holds an assertion against the request it came with.

    audience: origin of this service as the authorizer knows it, without a trailing slash.
    keys: `RemoteKeys(url)`, or anything with its `find`.
    profile: form of the assertions, as TGEFD_ASSERTION_PROFILE says; one of the other form is refused.
    """

    def __init__(
        self,
        audience: str,
        keys: RemoteKeys,
        issuer: str = "tgefd-authorizer",
        clock_tolerance_seconds: float = 5.0,
        replay_cache: ReplayCache | None = None,
        clock: Callable[[], float] = time.time,
        profile: str = "tgefd",
    ) -> None:
        self._profile = profile
        self._type = _TYPES[profile]
        self._audience = audience
        self._keys = keys
        self._issuer = issuer
        self._tolerance = clock_tolerance_seconds
        self._replay_cache = replay_cache
        self._clock = clock

    def verify(self, assertion: str | None, method: str, path: str) -> Caller:
        """The caller, for the method and the raw path (without query) of the request at hand.

        Raises AssertionRefused where the assertion does not hold, KeysUnavailable where that cannot be told.
        """
        claims = self._signed_claims(assertion)
        if self._profile == "txn-token":
            claims = _as_own_form(claims)
        subject, scope, jti = claims.get("sub"), claims.get("scope"), claims.get("jti")
        issued, expires, amr = claims.get("iat"), claims.get("exp"), claims.get("amr")
        if not (isinstance(subject, str) and subject and isinstance(scope, str) and isinstance(jti, str) and jti):
            raise AssertionRefused("claim")
        if not (_is_time(issued) and _is_time(expires)):
            raise AssertionRefused("claim")
        if not (isinstance(amr, list) and len(amr) == 1 and amr[0] in _AUTH_METHODS):
            raise AssertionRefused("claim")
        idp, forwarded = claims.get("idp"), claims.get("claims")
        if not (idp is None or isinstance(idp, str)):
            raise AssertionRefused("claim")
        if claims.get("iss") != self._issuer:
            raise AssertionRefused("issuer")
        if claims.get("aud") != self._audience:
            raise AssertionRefused("audience")
        now = self._clock()
        if expires <= now - self._tolerance:
            raise AssertionRefused("expired")
        if expires - issued > _MAX_LIFETIME_SECONDS or expires <= issued:
            raise AssertionRefused("lifetime")
        if issued > now + self._tolerance:
            raise AssertionRefused("not_yet_valid")
        if claims.get("htm") != method:
            raise AssertionRefused("method")
        if claims.get("htu") != f"{self._audience}{path}":
            raise AssertionRefused("path")
        if self._replay_cache is not None and not self._replay_cache.first(jti, expires + self._tolerance):
            raise AssertionRefused("replayed")
        return Caller(subject, tuple(scope.split()), amr[0], jti, int(expires), idp, _object(forwarded))

    def _signed_claims(self, assertion: str | None) -> Mapping[str, Any]:
        if not assertion:
            raise AssertionRefused("missing")
        if len(assertion) > _MAX_ASSERTION_CHARACTERS:
            raise AssertionRefused("oversized")
        try:
            header = jwt.get_unverified_header(assertion)
        except jwt.PyJWTError:
            raise AssertionRefused("malformed") from None
        algorithm, kid = header.get("alg"), header.get("kid")
        if not isinstance(algorithm, str) or algorithm not in _KEY_SHAPES or "crit" in header or "b64" in header:
            raise AssertionRefused("algorithm")
        if header.get("typ") != self._type:
            raise AssertionRefused("type")
        if not isinstance(kid, str):
            raise AssertionRefused("key_unknown")
        jwk = self._keys.find(kid)
        # The key's own kind decides with the header's algorithm, so that neither can be talked into the other.
        if jwk is None or (jwk.get("kty"), jwk.get("crv")) != _KEY_SHAPES[algorithm]:
            raise AssertionRefused("key_unknown")
        try:
            key = jwt.PyJWK(dict(jwk), algorithm=algorithm).key
            return jwt.decode(assertion, key, algorithms=[algorithm], options=_SIGNATURE_ONLY)
        except jwt.InvalidSignatureError:
            raise AssertionRefused("signature") from None
        except jwt.PyJWTError:
            raise AssertionRefused("malformed") from None


def _is_time(value: Any) -> bool:
    return isinstance(value, (int, float))


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _as_own_form(claims: Mapping[str, Any]) -> Mapping[str, Any]:
    """The claims of a Transaction Token (draft-ietf-oauth-transaction-tokens) under the names of our own form."""
    if not isinstance(claims.get("req_wl"), (str, list)):
        raise AssertionRefused("claim")
    transaction, requester = _object(claims.get("tctx")), _object(claims.get("rctx"))
    told = {name: claims.get(name) for name in ("iss", "aud", "sub", "scope", "iat", "exp")}
    of_request = {"htm": transaction.get("htm"), "htu": transaction.get("htu"), "claims": transaction.get("claims")}
    return {**told, **of_request, "jti": claims.get("txn"), "amr": requester.get("amr"), "idp": requester.get("idp")}
