"""The list of events that a filter finds, newest first, and what is wrong with a filter that cannot be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from aiohttp import web
from multidict import MultiDict

from dispatcher.api.http.request.known_parameters import refuse_unheeded
from dispatcher.api.rest.events.asked.events import narrowed, searched_for
from dispatcher.api.rest.events.asked.filters import Asked
from dispatcher.console.events.saved_views import CONDITIONS, VIEWS, above, conditions_of, links
from dispatcher.console.events.why import holds, why
from dispatcher.console.frame.screen import EVENTS, redirect
from dispatcher.console.frame.sentences import said
from dispatcher.console.frame.viewer import Viewer
from dispatcher.errors import InvalidRequest, Problem
from dispatcher.model.queue import Page, StoredEvent
from dispatcher.policy.saved_views import may_share
from dispatcher.store.queue.search.listing import MAX_SEARCH_S

LIMIT = 50
QUICK_S = 0.08
"""Time that a page searches unasked: it is there at once, says how far it came, and offers to search further."""
SLICE, SLICE_S = "X-Slice", 0.25
"""Sent by a page that searches further by itself, a little at a time; whoever presses a button waits for more."""
DEAD_LETTERS = "status:dead,expired"
KNOWN = dict.fromkeys((*CONDITIONS, "cursor", "said"), False)

SHORTCUTS = (
    ("everything", ""),
    ("retrying", "status:retrying"),
    ("waiting", "status:queued,held"),
    ("awaiting a result", "status:awaiting_result"),
    ("dead letters", DEAD_LETTERS),
    ("refused by host", "status:failed"),
    ("last hour", "accepted:1h.."),
)
"""Filters that one press asks for."""

GRAMMAR = (
    ("status:dead,failed", "one of several"),
    ("-account:acme", "all but these"),
    ("type:create", "by its constant or its short name"),
    ('integration:"Northwind Backup"', "by name, UUID, number or connector id; product: and account: as well"),
    ("since:2h until:30m", "when it failed, of what failed; when it was accepted, of all others"),
    ("accepted:2026-11-21T08:00..", "from there on; to is not included"),
    ("http:5xx error:GONE outcome:timeout", "of the last attempt"),
    ("attempts>3 next<+10m", "compared"),
    ("reason:circuit_open", "why it waits"),
    ("payload.user.email:a@b.example since:1h", "a value of the payload, searched newest first"),
    ("01a2286b", "a bare word: the beginning of an id, an account, a product or an integration"),
)


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event as the list shows it; ``name`` None = its integration is gone, or out of reach."""

    stored: StoredEvent
    name: str | None
    why: str


async def to_dead_letters(_: web.Request, __: Viewer) -> web.StreamResponse:
    """Dead letters are events under a filter."""
    return redirect(f"{EVENTS}?{urlencode({'q': DEAD_LETTERS})}")


async def show_events(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """Newest first, under the conditions of ``GET /v1/events``."""
    refuse_unheeded(request, KNOWN)
    query = MultiDict((name, value) for name, value in request.query.items() if value.strip() and name != "said")
    try:
        asked = await searched_for(request, query)
    except InvalidRequest as error:
        if error.problems[0].position is None:
            raise
        return await _page(request, viewer, query, [], None, problem=error.problems[0], status=error.status)
    condition, found = await narrowed(request, asked), Page([], None)
    if condition is not None:
        within_s = QUICK_S if asked.cursor is None else SLICE_S if SLICE in request.headers else MAX_SEARCH_S
        found = await viewer.services.reads.page(
            condition, asked.cursor, LIMIT, complete=False, payloads=False, within_s=within_s
        )
    names = await viewer.names({one.event.integration_id for one in found.items})
    held = await holds(found.items, viewer)
    rows = [EventRow(one, names.get(one.event.integration_id), why(one, viewer.now_ms, held)) for one in found.items]
    older = _older(asked, found, query)
    return await _page(request, viewer, query, rows, older, searched_to_ms=found.searched_to_ms)


async def _page(
    request: web.Request,
    viewer: Viewer,
    query: MultiDict[str],
    rows: Sequence[EventRow],
    older: str | None,
    *,
    searched_to_ms: int | None = None,
    problem: Problem | None = None,
    status: int = 200,
) -> web.Response:
    others = {name: query[name] for name in CONDITIONS[1:] if name in query}
    conditions = conditions_of(query)
    views = await links(request, viewer, conditions)
    return viewer.page(
        "events.html",
        status,
        rows=rows,
        asked=query.get("q", ""),
        others=others,
        shortcuts=[
            (words, f"{EVENTS}?{urlencode({'q': text})}" if text else EVENTS, text) for words, text in SHORTCUTS
        ],
        views=above(views),
        more_views=len(views) - len(above(views)),
        may_share=may_share(viewer.caller),
        at_view=next((one for one in views if one.here), None),
        new_view=f"{VIEWS}/new?{urlencode(conditions)}" if conditions and not problem else None,
        grammar=GRAMMAR,
        problem=problem,
        older=older,
        searched_to_ms=searched_to_ms,
        is_first="cursor" not in query,
        newest=f"{EVENTS}?{urlencode({k: v for k, v in query.items() if k != 'cursor'})}",
        said=said(request),
    )


def _older(asked: Asked, found: Page, query: MultiDict[str]) -> str | None:
    cursor = asked.onward(found.next_cursor)
    return f"{EVENTS}?{urlencode(dict(query) | {'cursor': cursor})}" if cursor else None
