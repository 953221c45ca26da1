"""FastAPI dependency over `tgefd_assertion`: a route that asks for it is reached with a valid assertion only.

    caller_of = asserted_caller(AssertionVerifier("https://api.internal", RemoteKeys("https://authorizer/_authorizer/jwks.json")))

    @app.post("/v1/discover")
    def discover(caller: Caller = Depends(caller_of)): ...
"""

from __future__ import annotations

from typing import Callable

from fastapi import HTTPException, Request

from tgefd_assertion import ASSERTION_HEADER, AssertionRefused, AssertionVerifier, Caller, KeysUnavailable


def asserted_caller(
    verifier: AssertionVerifier, report: Callable[[str], None] = lambda reason: None
) -> Callable[[Request], Caller]:
    """A dependency that gives the caller, or answers 401 (503 while the key set cannot be had); `report` learns why."""

    # A plain function: FastAPI runs it in its thread pool, where the key set may be fetched without blocking others.
    def dependency(request: Request) -> Caller:
        # The path as received; `request.url.path` is decoded already.
        path = request.scope["raw_path"].decode("ascii", "replace").partition("?")[0]
        try:
            return verifier.verify(request.headers.get(ASSERTION_HEADER), request.method, path)
        except AssertionRefused as refused:
            report(refused.reason)
            raise HTTPException(401, "unauthorized") from None
        except KeysUnavailable:
            report("keys_unavailable")
            raise HTTPException(503, "service unavailable") from None

    return dependency
