"""Spans of time in which figures are kept, and the rolling up of short ones into longer ones. Pure; no I/O.

A ring of ``slots`` spans is written round and round; each slot tells its round, so that none is taken for a newer one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dispatcher.errors import InvalidRequest
from dispatcher.policy.figures.tally import Figures, add, no_figures

MOST_POINTS = 1500
"""Of one answer."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """A ring of ``slots`` spans of ``seconds`` each."""

    name: str
    seconds: int
    slots: int

    @property
    def kept_s(self) -> int:
        return self.seconds * self.slots

    def span_at(self, now_ms: int) -> int:
        """Number of the span that a moment is in, since 1970."""
        return now_ms // (self.seconds * 1000)

    def place(self, span: int) -> tuple[int, int]:
        """Round and slot of a span."""
        return divmod(span, self.slots)

    def span_of(self, turn: int, slot: int) -> int:
        """The opposite of ``place``."""
        return turn * self.slots + slot


FLEET = (Resolution("seconds", 1, 600), Resolution("minutes", 60, 1440), Resolution("hours", 3600, 2160))
LANE = (Resolution("minutes", 60, 120), Resolution("hours", 3600, 168), Resolution("days", 86_400, 90))

Spans = Iterable[tuple[int, Sequence[int]]]
"""Number of a span, and its figures."""


@dataclass(frozen=True, slots=True)
class Window:
    """``points`` spans of ``step_s`` from ``from_ms`` on, read at one resolution."""

    resolution: Resolution
    from_ms: int
    step_s: int
    points: int

    @property
    def to_ms(self) -> int:
        return self.from_ms + self.points * self.step_s * 1000


def window(
    kept: Sequence[Resolution], now_ms: int, from_ms: int | None, to_ms: int | None, step_s: int | None
) -> Window:
    """The window that a reader asks for: the finest that reaches back far enough, unless ``step_s`` says.

    Without ``to_ms`` until now, without ``from_ms`` the last hour. Both are moved out to whole steps. Raises
    ``InvalidRequest`` that names what cannot be answered.
    """
    until = min(now_ms + 1 if to_ms is None else to_ms, now_ms + 1)
    since = max(0, until - 3_600_000) if from_ms is None else from_ms
    if since >= until:
        raise InvalidRequest.of("invalid_parameter", "Give a time before `to` and before now.", "from")
    resolution = _fitting(kept, since, until, now_ms, step_s)
    step = step_s or resolution.seconds
    first, end = since // (step * 1000), -(-until // (step * 1000))
    if end - first > MOST_POINTS:
        least = -(-(until - since) // (1000 * (MOST_POINTS - 1)))
        text = f"That would be {end - first} points, {MOST_POINTS} at most: take steps of {least} s or more."
        raise InvalidRequest.of("invalid_parameter", text, "step")
    return Window(resolution, first * step * 1000, step, end - first)


def _fitting(kept: Sequence[Resolution], since_ms: int, until_ms: int, now_ms: int, step_s: int | None) -> Resolution:
    reaching = [one for one in kept if now_ms - one.kept_s * 1000 <= since_ms + one.seconds * 1000] or [kept[-1]]
    if step_s is None:
        enough = [one for one in reaching if until_ms - since_ms <= (MOST_POINTS - 1) * one.seconds * 1000]
        return (enough or reaching[-1:])[0]
    whole = [one for one in reaching if step_s % one.seconds == 0]
    if not whole:
        finest = reaching[0].seconds
        text = f"So far back a step is {finest} s or a multiple of it."
        raise InvalidRequest.of("invalid_parameter", text, "step")
    return whole[-1]


def rolled_up(spans: Spans, seen: Window) -> list[Figures]:
    """The figures of each step of a window; whatever lies outside is left out, and nothing is counted twice."""
    steps = [no_figures() for _ in range(seen.points)]
    for span, figures in spans:
        step = (span * seen.resolution.seconds * 1000 - seen.from_ms) // (seen.step_s * 1000)
        if 0 <= step < seen.points:
            add(steps[step], figures)
    return steps


def total(steps: Iterable[Sequence[int]]) -> Figures:
    """All of them together."""
    figures = no_figures()
    for step in steps:
        add(figures, step)
    return figures
