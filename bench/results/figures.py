"""One measured figure: values of every round, medians, the ratio to a peer, the verdict. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from bench.plan import GOALS, Goal


@dataclass(frozen=True, slots=True)
class Figure:
    """``values[k]`` and ``peer_values[k]`` were measured right after one another, in round k."""

    name: str
    unit: str
    values: tuple[float, ...]
    peer: str = ""
    peer_values: tuple[float, ...] = ()
    note: str = ""

    @property
    def value(self) -> float:
        return median(self.values)

    @property
    def peer_value(self) -> float | None:
        return median(self.peer_values) if self.peer_values else None

    @property
    def ratios(self) -> tuple[float, ...]:
        """Of each round: what else ran on the machine then slowed both."""
        return tuple(own / other for own, other in zip(self.values, self.peer_values, strict=False) if other)

    @property
    def ratio(self) -> float | None:
        return median(self.ratios) if self.ratios else None

    @property
    def goal(self) -> Goal | None:
        return GOALS.get(self.name)

    @property
    def met(self) -> bool | None:
        """None where no goal is set."""
        if self.goal is None:
            return None
        return self.goal.met_by(self.value if self.ratio is None else self.ratio)

    def as_record(self) -> dict[str, object]:
        """For ``results.json``."""
        return {
            "name": self.name,
            "unit": self.unit,
            "value": self.value,
            "values": list(self.values),
            "peer": self.peer or None,
            "peerValue": self.peer_value,
            "peerValues": list(self.peer_values),
            "ratio": self.ratio,
            "ratios": list(self.ratios),
            "goal": str(self.goal) if self.goal else None,
            "met": self.met,
            "note": self.note or None,
        }


def figure(
    name: str, unit: str, values: Sequence[float], peer: str = "", peer_values: Sequence[float] = (), note: str = ""
) -> Figure:
    return Figure(name, unit, tuple(values), peer, tuple(peer_values), note)
