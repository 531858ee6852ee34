"""Reads a GraphQL request from a body or from the query of a GET, and negotiates the answer's media type.

GraphQL over HTTP, version of 2025: a request that is not of its form is 400 whatever was accepted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aiohttp import hdrs, web

from dispatcher.api.http.request.body import JSON, read_body, require_media
from dispatcher.errors import InvalidRequest
from dispatcher.policy.strict_json import read_json

RESPONSE = "application/graphql-response+json"
QUERY = "query"

_FIELDS: dict[str, type | tuple[type, ...]] = {
    QUERY: str,
    "variables": (dict, type(None)),
    "operationName": (str, type(None)),
    "extensions": (dict, type(None)),
}
_JSON_PARAMETERS = ("variables", "extensions")
"""Of a GET: a map as JSON text."""


@dataclass(frozen=True, slots=True)
class Query:
    """One request to be executed."""

    text: str
    variables: dict[str, Any] | None
    operation_name: str | None


async def from_body(request: web.Request) -> Query:
    """400 for whatever is no JSON object of the right form."""
    require_media(request, JSON)
    value = read_json(await read_body(request))
    if not isinstance(value, dict):
        raise InvalidRequest.of("not_an_object", "Send one JSON object with query, variables and operationName.")
    return _read(value)


def from_parameters(request: web.Request) -> Query:
    """The same from the query of a GET; an empty parameter counts as left out."""
    given: dict[str, Any] = {name: value for name, value in request.query.items() if value}
    for name in request.query:
        if len(request.query.getall(name)) > 1:
            raise InvalidRequest.of("invalid_parameter", "Give it once.", name[:64])
    for name in _JSON_PARAMETERS:
        if name in given:
            given[name] = read_json(given[name].encode())
    return _read(given)


def media_for(request: web.Request) -> str:
    """``application/graphql-response+json`` for who names it and likes nothing better, else ``application/json``."""
    liked = _liked(request)
    own = liked.get(RESPONSE, 0.0)
    return RESPONSE if own > 0 and own >= liked.get(JSON, 0.0) else JSON


def wants_page(request: web.Request) -> bool:
    """True for browsers, and for whoever did not say: what asks for JSON alone is no person."""
    liked = _liked(request)
    return not liked or any(liked.get(one, 0.0) > 0 for one in ("text/html", "text/*", "*/*"))


def _liked(request: web.Request) -> dict[str, float]:
    """Media types in ``Accept`` with their weight (RFC 9110 §12.5.1); what cannot be read has none."""
    liked: dict[str, float] = {}
    for member in ",".join(request.headers.getall(hdrs.ACCEPT, ())).split(","):
        media, *parameters = [part.strip().lower() for part in member.split(";")]
        if media:
            liked[media] = max(liked.get(media, 0.0), _weight(parameters))
    return liked


def _weight(parameters: list[str]) -> float:
    given = next((one[2:] for one in parameters if one.startswith("q=")), "1")
    try:
        return float(given)
    except ValueError:
        return 0.0


def _read(given: dict[str, Any]) -> Query:
    for name, value in given.items():
        if name not in _FIELDS:
            text = f"Send {', '.join(_FIELDS)} and nothing else."
            raise InvalidRequest.of("unknown_field", text, name[:64])
        if not isinstance(value, _FIELDS[name]):
            raise InvalidRequest.of("wrong_type", f"{name} has the wrong type (GraphQL over HTTP).", name)
    if not given.get(QUERY):
        raise InvalidRequest.of("required", "Send the query as a string.", QUERY)
    return Query(given[QUERY], given.get("variables"), given.get("operationName"))
