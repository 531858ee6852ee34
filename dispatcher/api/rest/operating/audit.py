"""GET /v1/audit: who changed what, newest first. Changes nothing, and notes nothing."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from dispatcher.api.http.request.query import integer, moment_ms, name_of
from dispatcher.api.http.response.respond import json_response
from dispatcher.api.http.route import Route
from dispatcher.api.rest.operating.client_models import AuditPageOut
from dispatcher.api.services import SERVICES
from dispatcher.clock import iso_ms
from dispatcher.model.access import Scope
from dispatcher.model.audit_entry import Entry
from dispatcher.store.audit_log.reading import AuditFilter, AuditReader

MAX_LIMIT = 500
DEFAULT_LIMIT = 50


async def list_entries(request: web.Request) -> web.StreamResponse:
    """Filtered by ``clientId``, ``action``, ``objectId``, ``from`` and ``to``."""
    query = request.query
    condition = AuditFilter(
        client_id=name_of(query, "clientId"),
        action=name_of(query, "action"),
        object_id=name_of(query, "objectId"),
        from_ms=moment_ms(query, "from"),
        to_ms=moment_ms(query, "to"),
    )
    limit = integer(query, "limit", DEFAULT_LIMIT, 1, MAX_LIMIT)
    reader = AuditReader(request.app[SERVICES].audit.redis)
    page = await reader.page(condition, query.get("cursor"), limit)
    return json_response({"data": [entry_json(entry) for entry in page.items], "nextCursor": page.next_cursor})


def entry_json(entry: Entry) -> dict[str, Any]:
    action = entry.action()
    return {
        "n": entry.n,
        "at": iso_ms(action.at_ms),
        "clientId": action.author.client_id,
        "scopes": list(action.author.scopes),
        "address": action.author.address,
        "requestId": action.author.request_id,
        "action": action.name,
        "kind": action.kind,
        "objectId": action.object_id,
        "before": action.before,
        "after": action.after,
        "outcome": action.outcome,
        "previous": entry.previous,
        "hash": entry.head.hash,
    }


ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/v1/audit",
        list_entries,
        (Scope.OPS_READ, Scope.CLIENTS_ADMIN),
        "Who changed what, newest first",
        answers={200: AuditPageOut},
        tag="operations",
        reads_much=True,
    ),
)
