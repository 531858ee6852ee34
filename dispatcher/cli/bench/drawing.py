"""A run as one SVG picture: deliveries a second and latency over its time, with a line where a fault happened."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from html import escape

from dispatcher.cli.bench.judging import Delivered, percentile
from dispatcher.cli.bench.measuring import Run
from dispatcher.console.operating.charts import HEIGHT, WIDTH, Chart, Series, chart

LEFT, TOP, GAP = 20, 60, 70
COLOURS = {"first": "#1565c0", "second": "#c62828"}
MARK = "#6a1b9a"
MARK_ROWS = 4
"""Names of faults that happened soon after one another stand below one another."""
MOST_COLUMNS = 600


def drawing(run: Run) -> str:
    """Empty of scripts and of anything from elsewhere."""
    deliveries = run.outcome.deliveries
    end_s = max((one.arrived_s for one in deliveries), default=run.begin_s)
    seconds = max(1.0, end_s - run.begin_s)
    step_s = max(1.0, math.ceil(seconds / MOST_COLUMNS))
    columns = math.ceil(seconds / step_s)
    rate = _rates(deliveries, run.begin_s, step_s, columns)
    charts = [
        chart("Deliveries a second", "/s", 0, 0, [Series("delivered", "first", rate)]),
        chart("Latency from intended sending", " ms", 0, 0, _latencies(deliveries, run.begin_s, step_s, columns)),
    ]
    marks = [(mark.fault.value, (mark.at_s - run.begin_s) / seconds) for mark in run.marks]
    height = TOP + len(charts) * (HEIGHT + GAP)
    box = f'viewBox="0 0 {WIDTH + 2 * LEFT} {height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {box} font-family="sans-serif" font-size="11">',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="{LEFT}" y="24" font-size="15">{_headline(run)}</text>',
    ]
    for number, one in enumerate(charts):
        parts += _panel(one, TOP + number * (HEIGHT + GAP), seconds, marks)
    return "\n".join([*parts, "</svg>\n"])


def _headline(run: Run) -> str:
    outcome = run.outcome
    twice = "" if outcome.duplicates is None else f", {outcome.duplicates:,} delivered twice"
    return f"{outcome.accepted:,} events: {outcome.lost:,} lost{twice}"


def _panel(one: Chart, top: int, seconds: float, marks: Sequence[tuple[str, float]]) -> list[str]:
    legend = "  ".join(f'<tspan fill="{COLOURS[line.look]}">{escape(line.name)}</tspan>' for line in one.lines)
    bottom = HEIGHT + 14
    return [
        f'<g transform="translate({LEFT},{top})">',
        f'<text y="-8">{escape(one.title)}, up to {escape(one.most)}: {legend}</text>',
        f'<path d="M0 0V{HEIGHT}H{WIDTH}" fill="none" stroke="#90a4ae"/>',
        *(_mark(name, share * WIDTH, number % MARK_ROWS) for number, (name, share) in enumerate(marks)),
        *(
            f'<path d="{line.path}" fill="none" stroke="{COLOURS[line.look]}" stroke-width="1.5"/>'
            for line in one.lines
        ),
        f'<text y="{bottom}">0 s</text><text x="{WIDTH}" y="{bottom}" text-anchor="end">{seconds:.0f} s</text></g>',
    ]


def _mark(name: str, x: float, row: int) -> str:
    line = f'<path d="M{x:.1f} 0V{HEIGHT}" stroke="{MARK}" stroke-dasharray="3 3"/>'
    return f'{line}<text x="{x + 2:.1f}" y="{10 + 12 * row}" fill="{MARK}">{escape(name)}</text>'


def _rates(deliveries: Sequence[Delivered], begin_s: float, step_s: float, columns: int) -> list[float]:
    counts = [0.0] * columns
    for one in deliveries:
        counts[_column(one.arrived_s, begin_s, step_s, columns)] += 1 / step_s
    return counts


def _latencies(deliveries: Sequence[Delivered], begin_s: float, step_s: float, columns: int) -> list[Series]:
    """By the moment at which an event was due, so that a standstill shows in all that waited for it."""
    within: dict[int, list[float]] = defaultdict(list)
    for one in deliveries:
        within[_column(one.due_s, begin_s, step_s, columns)].append(one.latency_ms)
    return [
        Series(name, look, [percentile(within[n], share) if n in within else None for n in range(columns)])
        for name, look, share in (("median", "first", 0.5), ("99 %", "second", 0.99))
    ]


def _column(at_s: float, begin_s: float, step_s: float, columns: int) -> int:
    return min(columns - 1, max(0, int((at_s - begin_s) / step_s)))
