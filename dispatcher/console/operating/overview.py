"""The overview: the verdict first, then figures, charts of the last hour, integrations with work, workers."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from dispatcher.api.http.request.known_parameters import refuse_unheeded
from dispatcher.console.frame.screen import EVENTS, redirect
from dispatcher.console.frame.sentences import said
from dispatcher.console.frame.viewer import Viewer
from dispatcher.console.operating.charts import Chart
from dispatcher.console.operating.lane_states import LaneState, lane_states
from dispatcher.console.operating.lately import lately
from dispatcher.console.operating.marks import marks_since
from dispatcher.console.operating.overview_charts import DUE_LANES, DUE_STEP_MS, DUE_STEPS, charts_of, due_chart
from dispatcher.console.operating.remedies import troubles
from dispatcher.flow.events.reading.figures import LAST_HOUR
from dispatcher.model.queue import LaneView, QueueOverview
from dispatcher.model.verdict import Verdict
from dispatcher.policy.figures.history import total
from dispatcher.policy.figures.tally import Figures, count, percentile
from dispatcher.policy.verdict.vendors import parts
from dispatcher.policy.verdict.words import lasted

LANES = 20
PROBLEMS = 20
"""Of the verdict that are shown at first; the others on asking."""
KNOWN = {"said": False, "problems": False}


@dataclass(frozen=True, slots=True)
class LaneRow:
    """One integration as the table shows it; ``name`` None = it was deleted, or is out of reach."""

    view: LaneView
    name: str | None
    states: Sequence[LaneState]
    success: float | None
    """Share of its attempts of the last hour that went well; None = there were none."""
    p95_ms: float | None


@dataclass(frozen=True, slots=True)
class Tile:
    name: str
    value: str
    note: str
    look: str = ""


async def show_home(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """The overview, for clients that may see it, else the events."""
    refuse_unheeded(request, KNOWN)
    if not viewer.sees_overview:
        return redirect(EVENTS)
    verdict, steps, overview = await asyncio.gather(
        verdict_for(viewer),
        viewer.services.past.steps(LAST_HOUR, viewer.caller, None, viewer.now_ms),
        _queue(viewer),
    )
    marks = await marks_since(steps.seen.from_ms, verdict, viewer)
    shown = verdict.problems if "problems" in request.query else verdict.problems[:PROBLEMS]
    return viewer.page(
        "overview.html",
        verdict=verdict,
        troubles=troubles(verdict.problems, viewer)[: len(shown)],
        further=len(verdict.problems) - len(shown),
        over=await lately(verdict, viewer),
        tiles=_tiles(total(steps.figures), overview, viewer),
        charts=charts_of(steps, marks),
        marks=marks,
        due=await _due(overview, viewer) if overview else None,
        rows=await _rows(overview, verdict, viewer) if overview else [],
        overview=overview,
        said=said(request),
    )


async def verdict_for(viewer: Viewer) -> Verdict:
    """The part of it that is the viewer's affair; judged now where nobody has yet."""
    verdict, _ = await viewer.watch.current()
    return viewer.within(verdict or await viewer.watch.evaluation.judge(out_of_turn=True))


async def _queue(viewer: Viewer) -> QueueOverview | None:
    return await viewer.services.reads.overview(DUE_LANES) if viewer.sees_queue else None


async def _due(overview: QueueOverview, viewer: Viewer) -> Chart | None:
    """Of the integrations with most work."""
    later = [view.integration_id for view in overview.lanes if view.scheduled]
    due = await viewer.services.reads.due_later(later, overview.now_ms, DUE_STEP_MS, DUE_STEPS)
    return due_chart(overview, due)


async def _rows(overview: QueueOverview, verdict: Verdict, viewer: Viewer) -> list[LaneRow]:
    """Those that something holds back first, then those with most work."""
    lanes = overview.lanes[:LANES]
    ids = [view.integration_id for view in lanes]
    names = await viewer.names(ids)
    ranking = await viewer.services.past.by_integration(LAST_HOUR, viewer.caller, viewer.now_ms, ids)
    known = [part for problem in verdict.problems for part in parts(problem)]
    rows = []
    for view in lanes:
        figures = ranking.figures.get(view.integration_id)
        attempts = count(figures, "attempts") if figures else 0
        success = 1 - count(figures, "failures") / attempts if figures and attempts else None
        p95 = percentile(figures, "attemptTime", 0.95) if figures else None
        name = names.get(view.integration_id)
        own = (one for one in known if one.finding.integration_id == view.integration_id)
        states = lane_states(view, overview.now_ms, own)
        rows.append(LaneRow(view, name, states, success, p95 * 1000 if p95 is not None else None))
    return sorted(rows, key=lambda row: not row.states)


def _tiles(hour: Figures, overview: QueueOverview | None, viewer: Viewer) -> list[Tile]:
    delivered, failed = count(hour, "delivered"), count(hour, "failed")
    p50, p99 = percentile(hour, "latency", 0.5), percentile(hour, "latency", 0.99)
    ended = delivered + failed
    share = (
        f"{delivered / ended:.2%}".replace("100.00%", "100 %").replace("%", " %").replace("  ", " ") if ended else "–"
    )
    of = f"{delivered:,} of {ended:,} that ended this hour" if ended else "nothing ended this hour"
    sent = f"half within that, 99 % within {_ms(p99)}" if p99 is not None else "nothing was sent this hour"
    tiles = [
        Tile("delivered", share, of, "bad" if failed > delivered else ""),
        Tile("accepted → sent", _ms(p50), sent),
    ]
    if overview is None:
        return tiles
    accepted = Tile("accepted", f"{count(hour, 'accepted'):,}", "in the last hour")
    new = viewer.new_dead_letters
    dead = overview.dead_letters
    return [
        accepted,
        *tiles,
        Tile(
            "due now",
            f"{overview.ready:,}",
            f"oldest {overview.oldest_ready_s:.1f} s; {overview.in_flight:,} under way",
        ),
        Tile("waiting", f"{overview.waiting:,}", f"behind others or parked; {overview.scheduled:,} due later"),
        Tile("dead letters", f"{dead:,}", f"{new:,} of them new" if dead else "none", "bad" if dead else ""),
    ]


def _ms(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    return f"{seconds * 1000:.1f} ms" if seconds < 0.01 else lasted(seconds * 1000)
