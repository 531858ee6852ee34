"""All integrations within reach: names, state in words, products, and what needs somebody. Found by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from aiohttp import web

from dispatcher.api.http.request.known_parameters import refuse_unheeded
from dispatcher.console.frame.sentences import said
from dispatcher.console.frame.viewer import Viewer
from dispatcher.console.integrations.subject import ALL, definitions_of
from dispatcher.console.operating.lane_states import LaneState, failing, lane_states
from dispatcher.model.integration import Integration
from dispatcher.model.queue import LaneView
from dispatcher.model.verdict import Problem
from dispatcher.policy.verdict.vendors import parts
from dispatcher.store.definitions.editing import Definitions

PAGE = 50
MOST_SEARCHED = 1000
"""Integrations that one page of a search looks at."""
MOST_LANES = 10_000
KNOWN = {"q": False, "cursor": False, "said": False}


@dataclass(frozen=True, slots=True)
class Row:
    integration: Integration
    states: Sequence[LaneState]
    problem: Problem | None
    more: int
    """Further problems of it."""


@dataclass(frozen=True, slots=True)
class Found:
    """``cursor`` None = there is no more. ``looked_at``: how many were searched."""

    items: list[Integration]
    cursor: str | None
    looked_at: int


async def show_integrations(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """Oldest first."""
    refuse_unheeded(request, KNOWN)
    wanted = request.query.get("q", "").strip()
    found = await _find(definitions_of(viewer), wanted, request.query.get("cursor") or None)
    lanes, problems = await lanes_of(viewer), await problems_of(viewer)
    rows = [_row(one, lanes, problems.get(one.id, []), viewer.now_ms) for one in found.items]
    following = {name: value for name, value in (("q", wanted), ("cursor", found.cursor)) if value}
    return viewer.page(
        "integrations/list.html",
        rows=rows,
        wanted=wanted,
        needing=sum(row.problem is not None for row in rows),
        looked_at=found.looked_at,
        following=f"{ALL}?{urlencode(following)}" if found.cursor else None,
        said=said(request),
    )


def state_of(
    integration: Integration, lane: LaneView | None, now_ms: int, problems: Sequence[Problem] = ()
) -> Sequence[LaneState]:
    """All that keeps its events from being delivered, in words; else that nothing does."""
    if integration.published_revision is None:
        return [LaneState("off", "not published", "no event can be accepted for it yet")]
    held = lane_states(lane, now_ms, problems) if lane else failing(problems)
    if held:
        return held
    if not integration.linked_products:
        return [LaneState("off", "no product", "link one, and its events come here")]
    return [LaneState("ok", "delivering")]


async def lanes_of(viewer: Viewer) -> Mapping[str, LaneView]:
    """Integrations with work, or held back, for those who may see that."""
    if not viewer.sees_overview:
        return {}
    return {lane.integration_id: lane for lane in (await viewer.services.reads.overview(MOST_LANES)).lanes}


async def problems_of(viewer: Viewer) -> Mapping[str, list[Problem]]:
    """Problems that need somebody, as of the last verdict, by integration."""
    verdict = viewer.watch.remembered() if viewer.sees_overview else None
    found: dict[str, list[Problem]] = {}
    for problem in viewer.within(verdict).problems if verdict else ():
        for part in parts(problem):
            if part.finding.integration_id:
                found.setdefault(part.finding.integration_id, []).append(part)
    return found


def _row(one: Integration, lanes: Mapping[str, LaneView], problems: Sequence[Problem], now_ms: int) -> Row:
    first = problems[0] if problems else None
    return Row(one, state_of(one, lanes.get(one.id), now_ms, problems), first, max(0, len(problems) - 1))


async def _find(definitions: Definitions, wanted: str, cursor: str | None) -> Found:
    if not wanted:
        page = await definitions.integrations(cursor, PAGE)
        return Found(page.items, page.next_cursor, len(page.items))
    items: list[Integration] = []
    looked_at, text = 0, wanted.casefold()
    while True:
        page = await definitions.integrations(cursor, 200)
        looked_at += len(page.items)
        items += [one for one in page.items if _is_named(one, text)]
        cursor = page.next_cursor
        if cursor is None or len(items) >= PAGE or looked_at >= MOST_SEARCHED:
            return Found(items, cursor, looked_at)


def _is_named(integration: Integration, text: str) -> bool:
    names = (integration.name, integration.connector_id, str(integration.app_market_id), *integration.linked_products)
    return integration.id.startswith(text) or any(text in name.casefold() for name in names)
