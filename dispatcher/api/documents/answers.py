"""Answers of each operation in the OpenAPI document: what went well, and every error by its status and surface."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from dispatcher.api.http.request.parameters import MEDIA, OAUTH_FORMS, PARAMETERS
from dispatcher.api.http.response.errors import SURFACES, graphql_body, message_body, oauth_body, rest_body
from dispatcher.api.http.route import Route
from dispatcher.errors import Problem

Answer = dict[str, Any]

TEXTS = {
    304: "Not modified: it is what If-None-Match names",
    400: "The request cannot be read, or has a wrong parameter",
    401: "No access token, or one that is not valid; or a wrong secret",
    403: "The client may not do this",
    404: "There is no such thing within the client's reach",
    405: "The address takes other methods; Allow lists them",
    408: "The body did not arrive in time",
    409: "The state of the object does not allow it",
    412: "The object is not in a state that If-Match or If-None-Match allows",
    413: "The body is too large",
    415: "The body is of another type or coding; Accept or Accept-Encoding says which is taken",
    422: "Well-formed, but with fields that break a rule; all of them are named",
    429: "Too much at a time: go on after Retry-After",
    503: "The store is away or full: repeat after Retry-After",
}
_WORK = {"ETag": "Names this state of the object", "Location": "Where it is", "Retry-After": "Seconds to wait"}
_HEADERS: dict[int, tuple[str, ...]] = {201: ("Location",), 429: ("Retry-After",), 503: ("Retry-After",)}
_CHALLENGE = {"WWW-Authenticate": "What is needed (RFC 6750)"}
_REQUEST_ID = {"X-Request-Id": "Quote it when you report an error; one that you send is taken over"}
_SAMPLE = [Problem("invalid_value", "This cannot be; the message says what to do next.", "productId")]


def answers_of(route: Route, ref: Any) -> dict[str, Answer]:
    """By status; ``default`` is whatever else goes wrong. ``ref`` makes a reference to a model."""
    good: dict[int, type[BaseModel] | None] = route.answers or {200: None}
    found = {str(status): _good(status, model, ref, tagged=is_tagged(route)) for status, model in good.items()}
    if route.method == "GET" and is_tagged(route):
        found["304"] = {"description": TEXTS[304], "headers": _headers({"ETag": _WORK["ETag"]})}
    for status in sorted(error_statuses(route) - set(good)):
        found[str(status)] = _bad(route, status, TEXTS[status])
    return found | {"default": _bad(route, 0, "An error; its message says what to do next")}


def is_tagged(route: Route) -> bool:
    """True for records with an ``ETag``: some change of theirs takes ``If-Match``."""
    conditional = {path for (_, path), given in PARAMETERS.items() if any(one["name"] == "If-Match" for one in given)}
    return route.path in conditional


def error_statuses(route: Route) -> set[int]:
    """Statuses that follow from the route's row. A handler may know more, which ``default`` stands for."""
    given = PARAMETERS.get((route.method, route.path), ())
    has_body = bool(route.body or (route.method, route.path) in MEDIA or route.path in OAUTH_FORMS)
    known = {
        400: has_body or any(one["in"] == "query" for one in given) or route.asking,
        401: route.scopes is not None or route.asking or route.path in OAUTH_FORMS,
        403: route.scopes is not None or route.asking,
        404: "{" in route.path,
        408: has_body,
        409: route.method in ("POST", "PUT", "PATCH", "DELETE") and route.scopes is not None,
        412: any(one["name"] == "If-Match" for one in given),
        413: has_body,
        415: has_body,
        422: has_body and route.path not in OAUTH_FORMS,
        429: route.scopes is not None or route.asking or route.path in OAUTH_FORMS,
        503: route.scopes is not None or route.asking or route.path in (*OAUTH_FORMS, "/readyz"),
    }
    return {status for status, applies in known.items() if applies}


def _good(status: int, model: type[BaseModel] | None, ref: Any, *, tagged: bool) -> Answer:
    named = {name: _WORK[name] for name in _HEADERS.get(status, ())} | ({"ETag": _WORK["ETag"]} if tagged else {})
    answer: Answer = {"description": "Done", "headers": _headers(named)}
    if model is not None:
        answer["content"] = {"application/json": {"schema": ref(model)}}
    return answer


def _bad(route: Route, status: int, text: str) -> Answer:
    named = {name: _WORK[name] for name in _HEADERS.get(status, ())} | (_CHALLENGE if status == 401 else {})
    render = next(render for prefix, render in SURFACES if route.path.startswith(prefix))
    sample = render(_SAMPLE, "3b25567ea3-2")
    if render is oauth_body:
        sample["error"] = "invalid_request"
    schema = {"$ref": f"#/components/schemas/{FORMS[render.__name__]}"}
    content = {"application/json": {"schema": schema, "example": sample}}
    return {"description": text, "headers": _headers(named), "content": content}


def _headers(named: dict[str, str]) -> dict[str, Any]:
    return {
        name: {"description": text, "schema": {"type": "string"}}
        for name, text in sorted((_REQUEST_ID | named).items())
    }


def _form(text: str, required: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "description": text, "required": list(required), "properties": required}


_TEXT = {"type": "string"}
_MAYBE = {"anyOf": [{"type": "string"}, {"type": "null"}]}
FORMS = {
    rest_body.__name__: "ErrorsOut",
    oauth_body.__name__: "OAuthErrorOut",
    message_body.__name__: "MessageOut",
    graphql_body.__name__: "GraphqlErrorsOut",
}
"""Model of an error on each surface."""


def error_forms() -> dict[str, dict[str, Any]]:
    """Models of errors that no pydantic model describes, by name."""

    def text(about: str) -> dict[str, Any]:
        return _TEXT | {"description": about}

    code, message = text("Stable name of what is wrong"), text("What is wrong and what to do next, for people")
    request_id = text("Quote it when you report the error")
    field = _MAYBE | {"description": "Dotted name of what is wrong in the request"}
    listed = _form("One thing that is wrong", {"Code": code, "Message": message, "Field": field})
    more = {"type": "object", "description": "code and field of what is wrong"}
    request = _form("requestId: quote it when you report the error", {"requestId": request_id})
    graphql = _form("One thing that is wrong", {"message": message})
    graphql["properties"] = graphql["properties"] | {"extensions": more}
    return {
        "OAuthErrorOut": _form(
            "RFC 6749 §5.2", {"error": code, "error_description": message, "request_id": request_id}
        ),
        "MessageOut": _form(
            "Errors as host applications read them",
            {
                "Message": message,
                "Errors": {"type": "array", "description": "All", "items": listed},
                "RequestId": request_id,
            },
        ),
        "GraphqlErrorsOut": _form(
            "Errors of GraphQL",
            {"errors": {"type": "array", "description": "All", "items": graphql}, "extensions": request},
        ),
    }
