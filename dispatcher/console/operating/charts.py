"""Series of numbers as lines of an SVG drawing and the words around it. Pure arithmetic; draws nothing itself.

Words stand outside the drawing, which is stretched to whatever room there is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dispatcher.pages.rendering import clock_time

WIDTH, HEIGHT = 600, 120
_ROOM = 4
"""Above and below, so that no line is cut."""


@dataclass(frozen=True, slots=True)
class Series:
    """``look``: a colour's meaning. A value that is None is a gap."""

    name: str
    look: str
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Line:
    """``path`` is the ``d`` of an SVG path; ``last`` what the legend says."""

    name: str
    look: str
    path: str
    last: str


@dataclass(frozen=True, slots=True)
class Point:
    """A moment: ``x`` of its line in the drawing."""

    x: int
    look: str


@dataclass(frozen=True, slots=True)
class Chart:
    title: str
    lines: tuple[Line, ...]
    most: str
    begins: str
    ends: str
    summary: str
    empty: bool
    marks: tuple[Point, ...] = ()


def chart(
    title: str,
    unit: str,
    from_ms: int,
    to_ms: int,
    series: Sequence[Series],
    marks: Sequence[tuple[int, str]] = (),
) -> Chart:
    """One scale for all lines, from 0 to a round number above the largest value. ``marks``: moments (ms) and looks."""
    largest = max((value for one in series for value in _known(one)), default=0)
    most = ceiling(largest)
    lines = tuple(
        Line(one.name, one.look, _path(one.values, most), _said(_known(one)[-1] if _known(one) else None, unit))
        for one in series
    )
    begins, ends = clock_time(from_ms)[:5], clock_time(to_ms)[:5]
    told = "; ".join(
        f"{one.name}: {line.last} now, {_said(max(_known(one), default=None), unit)} at most"
        for one, line in zip(series, lines, strict=True)
    )
    return Chart(
        title,
        lines,
        _said(most, unit),
        begins,
        ends,
        f"{title}, {begins} to {ends} UTC. {told}.",
        largest == 0,
        tuple(_points(marks, from_ms, to_ms)),
    )


def ceiling(value: float) -> float:
    """The least of 1, 2, 2.5, 5 times a power of ten that is not below the value; 1 for none."""
    if value <= 0:
        return 1.0
    power = 10.0 ** (len(f"{value:.0f}") - 1) if value >= 1 else 0.01
    while True:
        for step in (1.0, 2.0, 2.5, 5.0):
            if step * power >= value:
                return step * power
        power *= 10


def _points(marks: Sequence[tuple[int, str]], from_ms: int, to_ms: int) -> Iterator[Point]:
    for at_ms, look in marks:
        if from_ms <= at_ms <= to_ms:
            yield Point(round(WIDTH * (at_ms - from_ms) / max(1, to_ms - from_ms)), look)


def _known(series: Series) -> list[float]:
    return [value for value in series.values if value is not None]


def _path(values: Sequence[float | None], most: float) -> str:
    wide = WIDTH / max(1, len(values) - 1)
    parts, drawn = [], False
    for n, value in enumerate(values):
        if value is None:
            drawn = False
            continue
        y = HEIGHT - _ROOM - value / most * (HEIGHT - 2 * _ROOM)
        alone = not drawn and (n + 1 == len(values) or values[n + 1] is None)
        parts.append(f"{'L' if drawn else 'M'}{n * wide:.1f} {y:.1f}{'h0' if alone else ''}")
        drawn = True
    return "".join(parts)


def _said(value: float | None, unit: str) -> str:
    return "–" if value is None else f"{value:,.{0 if value >= 100 or value == int(value) else 1}f}{unit}"
