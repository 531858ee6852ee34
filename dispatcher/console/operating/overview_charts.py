"""Charts of the overview: the last hour with its marks, and what is due within the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dispatcher.console.operating.charts import Chart, Series, chart
from dispatcher.console.operating.marks import Mark
from dispatcher.flow.events.reading.figures import Steps
from dispatcher.model.queue import QueueOverview
from dispatcher.policy.figures.tally import count, percentile

DUE_LANES = 30
DUE_STEP_MS, DUE_STEPS = 300_000, 12


def charts_of(steps: Steps, marks: Sequence[Mark]) -> list[Chart]:
    """The step that is under way is left out: it is not whole."""
    whole = steps.figures[:-1]
    begins, ends = steps.seen.from_ms, steps.seen.from_ms + len(whole) * steps.seen.step_s * 1000
    shown = (("accepted", "accent"),) if steps.fleet else (("attempts", "accent"),)
    events = [
        Series(n, look, [count(f, n) for f in whole]) for n, look in (*shown, ("delivered", "ok"), ("failed", "bad"))
    ]
    latency = [
        Series(words, look, [None if (s := percentile(f, "latency", share)) is None else s * 1000 for f in whole])
        for words, look, share in (("half within", "dim", 0.5), ("99 % within", "accent", 0.99))
    ]
    points = [(mark.at_ms, mark.look) for mark in marks]
    return [
        chart("Events a minute", "", begins, ends, events, points),
        chart("Accepted until sent", " ms", begins, ends, latency, points),
    ]


def due_chart(overview: QueueOverview, due: Sequence[int]) -> Chart | None:
    """None where nothing is due later. ``due``: in each step of the next hour."""
    if not overview.scheduled:
        return None
    from_ms = overview.now_ms
    series = [Series("in all", "accent", list(due))]
    drawn = chart("Due within the next hour", "", from_ms, from_ms + DUE_STEPS * DUE_STEP_MS, series)
    in_all = tuple(replace(line, last=f"{sum(due):,}") for line in drawn.lines)
    return replace(drawn, lines=in_all) if any(due) else None
