"""The form of an error on each surface: a table of path prefixes. Never decides that something is an error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dispatcher.errors import Problem, RequestError

Render = Callable[[list[Problem], str], dict[str, Any]]
"""Problems and the request id → body."""


def rest_body(problems: list[Problem], request_id: str) -> dict[str, Any]:
    return {"errors": [problem.as_json() for problem in problems], "requestId": request_id}


def oauth_body(problems: list[Problem], request_id: str) -> dict[str, Any]:
    """RFC 6749 §5.2."""
    first = problems[0]
    return {"error": first.code, "error_description": first.message, "request_id": request_id}


def message_body(problems: list[Problem], request_id: str) -> dict[str, Any]:
    """Host applications read one message, and a list when several things are wrong."""
    errors = [{"Code": p.code, "Message": p.message, "Field": p.field} for p in problems]
    return {"Message": problems[0].message, "Errors": errors, "RequestId": request_id}


def graphql_body(problems: list[Problem], request_id: str) -> dict[str, Any]:
    errors = [{"message": p.message, "extensions": {"code": p.code, "field": p.field}} for p in problems]
    return {"errors": errors, "extensions": {"requestId": request_id}}


SURFACES: tuple[tuple[str, Render], ...] = (
    ("/oauth2/", oauth_body),
    ("/oauth/", oauth_body),
    ("/v1.0/", message_body),
    ("/account/", message_body),
    ("/launch/", message_body),
    ("/graphql", graphql_body),
    ("/", rest_body),
)
"""First prefix that fits decides."""

_OAUTH_CODES = {
    "store_unavailable": "temporarily_unavailable",
    "unknown_outcome": "temporarily_unavailable",
    "internal_error": "server_error",
    "rate_limited": "temporarily_unavailable",
}
"""RFC 6749 §4.1.2.1 has names of its own for these; any other code that is not OAuth's is a bad request."""

_OAUTH_OWN = frozenset(
    {
        "invalid_client",
        "invalid_grant",
        "invalid_scope",
        "unauthorized_client",
        "unsupported_grant_type",
        "unsupported_token_type",
    }
)


def error_body(path: str, error: RequestError, request_id: str) -> dict[str, Any]:
    """The body of ``error`` in the form of the surface that ``path`` belongs to."""
    render = next(render for prefix, render in SURFACES if path.startswith(prefix) or prefix == "/")
    problems = error.problems or [Problem("invalid_request", "The request cannot be served as it is.")]
    if render is oauth_body:
        problems = [Problem(_oauth_code(problems[0].code), problems[0].message)]
    return render(problems, request_id)


def _oauth_code(code: str) -> str:
    return code if code in _OAUTH_OWN else _OAUTH_CODES.get(code, "invalid_request")
