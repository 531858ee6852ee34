"""Figures of attempts since the last sample, by integration. Plain memory of one process; no I/O."""

from __future__ import annotations

from dispatcher.model.attempt import Outcome
from dispatcher.policy.figures.exemplars import Exemplar, Exemplars
from dispatcher.policy.figures.tally import Figures, add, count_attempt, count_end, no_figures

LaneKey = tuple[int, str]
"""Partition and integration id."""


class Tallies:
    """One per process."""

    def __init__(self) -> None:
        self._since: dict[LaneKey, Figures] = {}
        self._exemplars: dict[str, Exemplar] = {}

    def note(self, lane: LaneKey, outcome: Outcome, to: str, duration_s: float | None, latency_s: float | None) -> None:
        """One attempt and the status that it ends in; without ``duration_s`` none was made."""
        figures = self._since.get(lane)
        if figures is None:
            figures = self._since[lane] = no_figures()
        if duration_s is not None:
            count_attempt(figures, outcome, duration_s, latency_s)
        count_end(figures, to)

    def partitions(self) -> set[int]:
        """Those in which something was noted since the last sample."""
        return {partition for partition, _ in self._since}

    def exemplify(self, bucket: str, exemplar: Exemplar) -> None:
        """An observation that was traced, and the counter of its bucket."""
        self._exemplars[bucket] = exemplar

    def take_exemplars(self) -> Exemplars:
        """Take out the last of each bucket."""
        taken, self._exemplars = self._exemplars, {}
        return taken

    def take(self, at_most: int) -> dict[LaneKey, Figures]:
        """Take out those that have waited longest."""
        lanes = list(self._since)[:at_most]
        return {lane: self._since.pop(lane) for lane in lanes}

    def put_back(self, taken: dict[LaneKey, Figures]) -> None:
        """Keep for the next sample what could not be written."""
        for lane, figures in self._since.items():
            add(taken.setdefault(lane, no_figures()), figures)
        self._since = taken
