"""Changes and their authors, newest first."""

from __future__ import annotations

from urllib.parse import urlencode

from aiohttp import web

from dispatcher.api.http.request.known_parameters import refuse_unheeded
from dispatcher.api.http.request.query import moment_ms
from dispatcher.console.frame.navigation import HOME
from dispatcher.console.frame.viewer import Viewer
from dispatcher.store.audit_log.reading import AuditFilter, AuditReader

AUDIT = f"{HOME}/audit"
PAGE = 50
CONDITIONS = ("clientId", "action", "objectId", "from", "to")
KNOWN = dict.fromkeys((*CONDITIONS, "cursor"), False)


async def show_audit(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """Under the conditions of ``GET /v1/audit``; those that are left empty are none."""
    refuse_unheeded(request, KNOWN)
    given = {name: text.strip() for name, text in request.query.items() if text.strip()}
    condition = AuditFilter(
        client_id=given.get("clientId"),
        action=given.get("action"),
        object_id=given.get("objectId"),
        from_ms=moment_ms(given, "from"),
        to_ms=moment_ms(given, "to"),
    )
    page = await AuditReader(viewer.services.audit.redis).page(condition, given.get("cursor"), PAGE)
    further = {name: given[name] for name in CONDITIONS if name in given} | {"cursor": page.next_cursor or ""}
    return viewer.page(
        "administration/audit.html",
        found=[(entry.n, entry.action()) for entry in page.items],
        given={name: given.get(name, "") for name in CONDITIONS},
        older=f"{AUDIT}?{urlencode(further)}" if page.next_cursor else None,
    )
