"""Attempts of one partition since its last settle: numbers while they are counted, counters once they are written.

Naming a counter takes as long as counting, and a settle carries many attempts. Plain memory of one process; no I/O.
"""

from __future__ import annotations

from dispatcher.model.attempt import Outcome
from dispatcher.model.latency import HistogramNames
from dispatcher.policy.figures.tally import count_attempt, measured, no_figures

ATTEMPT_SECONDS = HistogramNames("attempt_seconds")
DELIVERY_LATENCY = HistogramNames("delivery_latency")

_WENT_WELL = frozenset({Outcome.OK, Outcome.ACCEPTED, Outcome.REFUSED})
"""Of a first attempt: the host took it, whatever it made of it."""


class Attempted:
    """Counts by outcome and duration; the first attempt of an event also by the time from accept to POST."""

    __slots__ = ("_figures", "_first", "_outcomes", "_went_well")

    def __init__(self) -> None:
        self._figures = no_figures()
        self._first = 0
        self._outcomes: dict[Outcome, int] = {}
        self._went_well = 0

    def add(self, outcome: Outcome, duration_s: float, first_s: float | None) -> None:
        """``first_s`` None: it was not the first of its event, or was not sent."""
        self._outcomes[outcome] = self._outcomes.get(outcome, 0) + 1
        count_attempt(self._figures, outcome, duration_s, first_s)
        if first_s is not None:
            self._first += 1
            self._went_well += outcome in _WENT_WELL

    def counters(self) -> dict[str, int]:
        """By the names that the store has for them, those of which there is something."""
        if not self._outcomes:
            return {}
        counted = {f"attempts:{outcome}": n for outcome, n in self._outcomes.items()} | measured(self._figures)
        counted[ATTEMPT_SECONDS.count] = sum(self._outcomes.values())
        if self._first:
            counted[DELIVERY_LATENCY.count] = self._first
        if self._went_well:
            counted["first:good"] = self._went_well
        return counted
