"""GET /v1/event-types: which types there are, and what their payloads hold. Knows nothing of any event."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from dispatcher.api.http.response.respond import json_response
from dispatcher.api.http.route import Route
from dispatcher.api.rest.events.shown.models import EventTypeOut, EventTypesOut
from dispatcher.catalogue.samples import sample_payload
from dispatcher.catalogue.schemas import ENTRIES, payload_schema
from dispatcher.errors import NotFound
from dispatcher.model.access import Scope
from dispatcher.model.event_type import TYPE_RULES, EventType, parse_event_type


async def list_types(request: web.Request) -> web.StreamResponse:
    """All of them, with the integration's URL that each one goes to."""
    return json_response({"data": [_summary(kind) for kind in EventType]})


async def get_type(request: web.Request) -> web.StreamResponse:
    """By its full name or its short one. Only integrations with ``validatePayloads`` insist on the schema."""
    kind = parse_event_type(request.match_info["type"])
    if kind is None:
        raise NotFound.of("not_found", "There is no such type; GET /v1/event-types lists them.", "type")
    return json_response(_summary(kind) | {"schema": payload_schema(kind), "sample": sample_payload(kind)})


def _summary(kind: EventType) -> dict[str, Any]:
    rule, entry = TYPE_RULES[kind], ENTRIES[kind]
    return {
        "type": kind.value,
        "alias": rule.alias,
        "version": entry.version,
        "description": entry.description,
        "urlField": rule.url_field,
        "emittable": rule.emitted_by_callers,
    }


_SCOPES = (Scope.EVENTS_READ, Scope.EVENTS_WRITE, Scope.INTEGRATIONS_READ)

ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/v1/event-types",
        list_types,
        _SCOPES,
        "List the event types",
        answers={200: EventTypesOut},
        vendors=True,
    ),
    Route(
        "GET",
        "/v1/event-types/{type}",
        get_type,
        _SCOPES,
        "The payload of a type: its JSON Schema and a sample",
        answers={200: EventTypeOut},
        vendors=True,
    ),
)
