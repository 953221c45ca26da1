"""A service that trusts nothing but the assertion: what test/infra/clients.test.ts sends its requests to."""

import os

from fastapi import Depends, FastAPI

from fastapi_assertion import asserted_caller
from tgefd_assertion import AssertionVerifier, Caller, MemoryReplayCache, RemoteKeys

audience = os.environ["AUDIENCE"]
keys = RemoteKeys(os.environ["JWKS_URL"])
once = AssertionVerifier(audience, keys, replay_cache=MemoryReplayCache())
transaction = AssertionVerifier(audience, keys, profile="txn-token")
down = AssertionVerifier(audience, RemoteKeys(os.environ["DOWN_URL"]))


def report(reason: str) -> None:
    print(f"refused {reason}", flush=True)


app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)


def answer(caller: Caller) -> dict[str, object]:
    return {
        "subject": caller.subject,
        "idp": caller.idp,
        "claims": dict(caller.claims),
        "scopes": list(caller.scopes),
        "authMethod": caller.auth_method,
        "decisionId": caller.decision_id,
        "expiresAtSeconds": caller.expires_at,
    }


@app.post("/once")
def used_once(caller: Caller = Depends(asserted_caller(once, report))) -> dict[str, object]:
    return answer(caller)


@app.post("/txn")
def of_a_transaction(caller: Caller = Depends(asserted_caller(transaction, report))) -> dict[str, object]:
    return answer(caller)


@app.post("/down")
def no_keys(caller: Caller = Depends(asserted_caller(down, report))) -> dict[str, object]:
    return answer(caller)


@app.api_route("/{path:path}", methods=["GET", "POST", "DELETE"])
def anything(
    path: str, caller: Caller = Depends(asserted_caller(AssertionVerifier(audience, keys), report))
) -> dict[str, object]:
    return answer(caller)
