"""The queue at a glance: totals, integrations with work, workers."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from dispatcher.clock import iso_ms
from dispatcher.console.screen import EVENTS, Viewer, redirect
from dispatcher.errors import Refused
from dispatcher.model.queue import LaneView, Pause

LANES = 100


@dataclass(frozen=True, slots=True)
class LaneRow:
    """One integration as the table shows it; ``name`` None = it was deleted, or is out of reach."""

    view: LaneView
    name: str | None
    states: list[str]


async def show_home(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """The queue, for clients that may see it, else the events."""
    return await show_queue(request, viewer) if viewer.sees_queue else redirect(EVENTS)


async def show_queue(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    if not viewer.sees_queue:
        text = "The queue shows every integration: sign in with a client that is bound to no account and no vendor."
        raise Refused.of("account_restricted", text)
    overview = await viewer.services.reads.overview(LANES)
    names = await viewer.names([view.integration_id for view in overview.lanes])
    rows = [LaneRow(view, names.get(view.integration_id), states(view)) for view in overview.lanes]
    totals = {
        "ready": overview.ready,
        "waiting": overview.waiting,
        "scheduled": overview.scheduled,
        "in flight": overview.in_flight,
        "awaiting a result": overview.awaiting,
        "dead letters": overview.dead_letters,
    }
    waits = bool(overview.ready or overview.waiting or overview.scheduled)
    return viewer.page(
        "queue.html",
        overview=overview,
        totals=totals,
        rows=rows,
        waits_for_worker=waits and not overview.workers,
        refresh="refresh" in request.query,
    )


def _paused(pause: Pause) -> str:
    by, reason = f" by {pause.by}" if pause.by else "", f": {pause.reason}" if pause.reason else ""
    ends = f"; ends {iso_ms(pause.until_ms)}" if pause.until_ms else ""
    return f"paused{by}{reason}{ends}"


def states(view: LaneView) -> list[str]:
    """Everything that holds the integration's events back, in words."""
    held = {
        "circuit open until": view.circuit_open_until_ms,
        "slowed down by its host until": view.slowed_until_ms,
        "no token since": view.token_failing_since_ms,
    }
    lines = [f"{words} {iso_ms(at_ms)}" for words, at_ms in held.items() if at_ms]
    if view.concurrency is not None and view.in_flight >= view.concurrency:
        lines.append(f"as many attempts under way as it may have ({view.concurrency})")
    if view.paused:
        lines.insert(0, _paused(view.pause))
    return lines + [f"URL suspended: {url}" for url in view.suspended_urls]
