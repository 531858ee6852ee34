"""Contents of one partition as they should be: the pure model that the scripts are held to. Knows no Redis."""

from __future__ import annotations

from dataclasses import dataclass

from dispatcher.model.event import Event
from dispatcher.model.event_type import EventType
from dispatcher.model.status import TERMINAL, Status
from dispatcher.store.queue.owning.claims import Move

LANES = ("5f157a26-0238-4f3f-9c31-1f3e65b4713e", "0b0e2a6c-2f1e-4f0e-9a53-3d1f6f0a7c11")
ACCOUNTS = ("A", "B", None)
FIRST_CAP = 3
URL = "https://host.test/x"
LATER_MS = 600_000
_AT_ONCE = (Status.SUCCEEDED, Status.FAILED, Status.DEAD, Status.SKIPPED, Status.HELD, Move.RELEASE)
ENDINGS: tuple[tuple[Status | Move, int], ...] = (
    *((status, 0) for status in _AT_ONCE),
    *((status, delay_ms) for status in (Status.RETRYING, Status.AWAITING_RESULT) for delay_ms in (0, LATER_MS)),
)
"""Ends of an attempt, and the ms after which the event goes on."""


@dataclass
class Tracked:
    """One event as it should be. ``place``: due, later, behind, flight, wait, park or end.

    ``followed``: claimed as one of a run, and not its last.
    """

    event: Event
    status: Status = Status.QUEUED
    place: str = "due"
    attempts: int = 0
    overdue: bool = False
    followed: bool = False


@dataclass
class LaneModel:
    cap: int = FIRST_CAP
    paused: bool = False
    suspended: bool = False
    was_suspended: bool = False
    circuit_open: bool = False


class QueueModel:
    """Every event with its place, every group in its order, every lane with its limits."""

    def __init__(self) -> None:
        self.events: dict[str, Tracked] = {}
        self.groups: dict[tuple[str, str], list[str]] = {}
        self.lanes = {lane: LaneModel() for lane in LANES}
        self.counts = {"accepted": 0, "notified": 0, "reopened": 0, "terminal": 0}

    def new_event(self, lane: str, account: str | None, kind: EventType = EventType.SUBSCRIPTION_CHANGE) -> Event:
        event_id = f"{len(self.events):08x}-0000-7000-8000-000000000000"
        return Event(event_id, kind, lane, 1, account_id=account)

    def admitted(self, event: Event, counter: str) -> None:
        self.counts[counter] += 1
        self.events[event.id] = Tracked(event)
        self.line_up(self.events[event.id])

    def line_up(self, known: Tracked) -> None:
        known.status, known.place = Status.QUEUED, "due"
        if known.event.group:
            waiting = self.groups.setdefault((known.event.integration_id, known.event.group), [])
            waiting.append(known.event.id)
            known.place = "due" if len(waiting) == 1 else "behind"

    def concluded(self, known: Tracked, status: Status) -> None:
        """From outside: the number of an attempt in flight is used up."""
        known.attempts += known.place == "flight"
        self.ended(known, status)

    def ended(self, known: Tracked, status: Status) -> None:
        known.status, known.place = status, "end"
        self.counts["terminal"] += 1
        waiting = self.groups.get((known.event.integration_id, known.event.group), [])
        if known.event.id in waiting:
            waiting.remove(known.event.id)
        if waiting and self.events[waiting[0]].place == "behind":
            self.events[waiting[0]].place = "due"

    def settled(self, known: Tracked, to: Status | Move, delay_ms: int) -> None:
        if isinstance(to, Move):
            self.given_back(known)
            return
        known.attempts += 1
        if to in TERMINAL:
            self.ended(known, to)
            return
        known.status = to
        known.overdue = to is Status.AWAITING_RESULT and delay_ms == 0
        retry = "later" if delay_ms else "due"
        known.place = {Status.HELD: "park", Status.AWAITING_RESULT: "wait"}.get(to, retry)

    def given_back(self, known: Tracked) -> None:
        """Claimed, and not attempted: only the head of a group is due."""
        waiting = self.waiting(known)
        known.place = "due" if not waiting or waiting[0] == known.event.id else "behind"

    def waiting(self, known: Tracked) -> list[str]:
        """All of its group that have not ended, in their order."""
        return self.groups.get((known.event.integration_id, known.event.group), [])

    def unparked(self, lane: str) -> None:
        """Nothing that was parked is held any more."""
        for known in self.in_place("park"):
            if known.event.integration_id == lane:
                known.place, known.status = "due", Status.QUEUED

    def room(self, lane: str) -> int:
        """Number of events of a lane that a claim may take now."""
        limits = self.lanes[lane]
        if limits.paused or limits.circuit_open:
            return 0
        return max(0, min(limits.cap - self.busy(lane), len(self.ids("due", lane=lane))))

    def busy(self, lane: str) -> int:
        """A run counts once, by its last."""
        return sum(not known.followed for known in self.in_place("flight") if known.event.integration_id == lane)

    def behind(self, lane: str) -> int:
        return len(self.ids("behind", lane=lane))

    def in_place(self, place: str) -> list[Tracked]:
        return [known for known in self.events.values() if known.place == place]

    def ids(self, *places: str, lane: str | None = None) -> set[bytes]:
        """As Redis returns them, of one lane or of all."""
        found = [known.event for place in places for known in self.in_place(place)]
        return {event.id.encode() for event in found if lane in (None, event.integration_id)}

    def dead(self) -> set[bytes]:
        return {known.event.id.encode() for known in self.events.values() if known.status is Status.DEAD}
