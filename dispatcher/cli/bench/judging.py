"""The end of every event of a run, and the time that it took. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from dispatcher.cli.bench.arrivals import Arrival
from dispatcher.cli.bench.sending import Sent
from dispatcher.model.status import Status

OPEN = frozenset({Status.QUEUED, Status.HELD, Status.DELIVERING, Status.RETRYING, Status.AWAITING_RESULT})


@dataclass(frozen=True, slots=True)
class Delivered:
    """``due_s``: when it was meant to be sent in; ``arrived_s``: when it first came. On the monotonic clock."""

    due_s: float
    arrived_s: float

    @property
    def latency_ms(self) -> float:
        return max(0.0, self.arrived_s - self.due_s) * 1000


@dataclass(frozen=True, slots=True)
class Outcome:
    """Counts of events. ``duplicates``: requests beyond each event's first; None where they cannot be seen.

    ``lost``: a receipt was given, and the event neither came nor waits. ``unfinished``: it waits still. ``failed``: it
    ended without success. ``unanswered``: never a receipt, and never a refusal. ``said``: why there was no receipt.
    """

    sent: int
    accepted: int
    refused: int
    unanswered: int
    asked_again: int
    lost: int
    unfinished: int
    failed: int
    duplicates: int | None
    said: Mapping[str, int]
    accepts_ms: tuple[float, ...]
    deliveries: tuple[Delivered, ...]

    @property
    def well(self) -> bool:
        """Every event with a receipt was delivered, and there were some."""
        return self.accepted > 0 and len(self.deliveries) == self.accepted

    @property
    def latencies_ms(self) -> list[float]:
        return [one.latency_ms for one in self.deliveries]

    @property
    def rate_per_s(self) -> float | None:
        """Deliveries a second between the first and the last."""
        times_s = sorted(one.arrived_s for one in self.deliveries)
        if len(times_s) < 2 or times_s[-1] == times_s[0]:
            return None
        return (len(times_s) - 1) / (times_s[-1] - times_s[0])

    @property
    def standstill_s(self) -> float:
        """The longest time without an arrival."""
        times_s = sorted(one.arrived_s for one in self.deliveries)
        return max((later - earlier for earlier, later in pairwise(times_s)), default=0.0)


def judged(
    sent: Sequence[Sent], arrivals: Sequence[Arrival], statuses: Mapping[str, Status], *, every: bool
) -> Outcome:
    """``statuses``: as the API tells them, of what it knows; ``every``: all requests were seen, repeated ones too."""
    due_s = {one.event_id: one.due_s for one in sent if one.event_id}
    first_s: dict[str, float] = {}
    times = Counter(event_id for event_id, _ in arrivals if event_id in due_s)
    for event_id, at_s in arrivals:
        if event_id in due_s:
            first_s.setdefault(event_id, at_s)
    missing = Counter(_fate(statuses.get(one)) for one in due_s if one not in first_s)
    return Outcome(
        sent=len(sent),
        accepted=len(due_s),
        refused=sum(one.refused for one in sent),
        unanswered=sum(one.event_id is None and not one.refused for one in sent),
        asked_again=sum(one.asked - 1 for one in sent),
        lost=missing["lost"],
        unfinished=missing["unfinished"],
        failed=missing["failed"],
        duplicates=sum(times.values()) - len(times) if every else None,
        said=Counter(one.said for one in sent if one.event_id is None),
        accepts_ms=tuple(max(0.0, one.answered_s - one.due_s) * 1000 for one in sent if one.event_id),
        deliveries=tuple(Delivered(due_s[one], at_s) for one, at_s in first_s.items()),
    )


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least ``share`` of all are not above (nearest rank). Raises on none."""
    ordered = sorted(values)
    rank = max(1, -(-len(ordered) * round(share * 10_000) // 10_000))
    return ordered[rank - 1]


def _fate(status: Status | None) -> str:
    """Of an event with a receipt that did not come."""
    if status in OPEN:
        return "unfinished"
    return "lost" if status in (None, Status.SUCCEEDED) else "failed"
