"""The answer while the store is away: what is known of the request, and how to repeat it."""

from __future__ import annotations

from dispatcher.api.http.response.asked import Asked
from dispatcher.errors import Problem, RequestError, StoreDeclined, StoreUnavailable

RETRY_AFTER_S = 1
READS = frozenset({"GET", "HEAD", "OPTIONS"})

_UNKNOWN = "The store did not confirm: whether this was done is unknown. "
_DECLINED = "The store could not take this now, and nothing was done: repeat it in a moment."
_LOOK = "Look whether it was before you repeat it."
_ADVICE = {
    "/v1/events/batch": "A repeat makes every event again: look with GET /v1/events what there is before you do.",
    "/graphql": "Queries can be repeated; after a mutation look whether it was before you repeat it.",
    "/oauth2/token": "Repeat it.",
    "/oauth/token": "Repeat it.",
    "/v1.0/users/marketplace": "Repeat it: a repeat finds the account that was made.",
    "/v1.0/users/launch": "Repeat it: a repeat finds the account that was made.",
    "/oauth2/introspect": "Repeat it.",
    "/oauth2/revoke": "Repeat it.",
    "/console/sign-in": "Repeat it.",
    "/console/sign-out": "Repeat it.",
}
"""By path, where looking is not what helps."""


def store_away(request: Asked, error: StoreUnavailable) -> RequestError:
    """503 with Retry-After: ``store_unavailable`` where nothing was done, else ``unknown_outcome``.

    Only of a request that makes one write does a refusal of it say that nothing was done.
    """
    headers = {"Retry-After": str(RETRY_AFTER_S)}
    if request.method in READS:
        text = "The store does not answer; ask again in a moment."
        return RequestError([Problem("store_unavailable", text)], 503, headers)
    if isinstance(error, StoreDeclined) and request.path == "/v1/events":
        return RequestError([Problem("store_unavailable", _DECLINED)], 503, headers)
    return RequestError([Problem("unknown_outcome", _UNKNOWN + _advice(request))], 503, headers)


def _advice(request: Asked) -> str:
    if request.path != "/v1/events":
        return _ADVICE.get(request.path, _LOOK)
    if "Idempotency-Key" in request.headers:
        return "Repeat it, with the same Idempotency-Key."
    return "A repeat may make a second event; with an Idempotency-Key of your own it never does."
