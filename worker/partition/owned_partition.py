"""State of owned partitions: running attempts, outcomes to settle, time and size of the next claim. No I/O."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Iterable

from dispatcher.model.attempt import ClaimId
from dispatcher.policy.figures.attempted import Attempted
from dispatcher.policy.pace.lane import Lane
from dispatcher.policy.pace.places import ALL_BYTES
from dispatcher.policy.pace.unasked import Unasked
from dispatcher.store.queue.owning.claims import Claim, Claimed, LaneSetting, Settlement
from dispatcher.store.queue.owning.partition import ANY_SIZE
from worker.partition.run import Run

Batch = tuple[list[Settlement], list[LaneSetting], dict[str, int]]


class OwnedPartition:
    """Times are seconds of the steady clock."""

    __slots__ = (
        "asked",
        "attempted",
        "changed_lanes",
        "claimed_bytes",
        "closed",
        "counted",
        "due_at",
        "faults",
        "generation",
        "lanes",
        "leaving",
        "newest_generation",
        "outcomes",
        "parted",
        "parting",
        "partition",
        "parts_at",
        "paused_until",
        "renewed_at",
        "requested",
        "resting",
        "running",
        "runs",
        "settings",
        "turn",
        "unasked",
        "unconfirmed",
        "work_expected",
    )

    def __init__(self, partition: int, generation: int, now: float) -> None:
        self.partition = partition
        self.generation = generation
        self.newest_generation = generation
        """Highest generation that the store may have for us."""
        self.running: dict[ClaimId, asyncio.Task[None] | None] = {}
        """Claims whose attempts have not ended, with their tasks; None until the attempt begins."""
        self.runs: dict[ClaimId, Run] = {}
        """Followers of heads that have not begun."""
        self.claimed_bytes = 0
        """Of documents whose attempts have not ended."""
        self.outcomes: list[Settlement] = []
        self.settings: list[LaneSetting] = []
        self.attempted = Attempted()
        self.counted: Counter[str] = Counter()
        """Whatever else the next settle counts."""
        self.lanes: dict[str, Lane] = {}
        self.changed_lanes: set[str] = set()
        self.asked = False
        """A request is under way that the owner does not wait for: no other is sent before its reply."""
        self.requested = 0
        """Events that it may bring."""
        self.work_expected = True
        """The next claim may bring something."""
        self.due_at: float | None = None
        self.unasked = Unasked()
        """Events that accepts give to us, under this generation."""
        self.turn = 0
        """Position in the order of claiming; the partition claimed from last has the highest."""
        self.renewed_at = now
        """Time of the request that renewed the lease."""
        self.unconfirmed = False
        """A reply was lost: own it anew before anything else."""
        self.paused_until = 0.0
        """A script failed: nothing is asked before then."""
        self.faults = 0
        """Errors of ours since something of it was settled."""
        self.parting = False
        """To leave once no attempt of it waits for a slow host: integrations with such attempts begin no more."""
        self.parts_at: float | None = None
        """Time from which others may own it although attempts run, which this worker goes on with; None: never."""
        self.parted = False
        """Others may own it, and only what runs is still to be settled."""
        self.leaving = False
        """Claim nothing more; release once nothing runs."""
        self.resting = False
        """To be released now: what is still claimed goes back."""
        self.closed = asyncio.Event()

    def may_claim(self, now: float) -> bool:
        """True when a claim may bring something."""
        return (
            not self.leaving
            and not self.unconfirmed
            and (self.work_expected or (self.due_at is not None and self.due_at <= now))
        )

    def ready(self, now: float, free: bool) -> bool:
        """True when the next round has something to do here. ``free``: there are free slots."""
        if self.asked:
            return False
        if self.unconfirmed:
            return self.paused_until <= now
        return bool(self.outcomes) or (free and self.may_claim(now))

    def wakes_at(self, free: bool) -> float | None:
        """Time of the next thing to do without a nudge; None: there is none."""
        if self.asked:
            return None
        if self.unconfirmed:
            return self.paused_until
        if self.leaving:
            return self.parts_at if self.may_part and not self.parted else None
        return self.due_at if free else None

    @property
    def waits_for_slow_hosts(self) -> bool:
        return any(lane.places.slow for lane in self.lanes.values())

    @property
    def may_rest(self) -> bool:
        """True when it is leaving and nothing of it runs or is to be settled."""
        return self.leaving and not self.unconfirmed and not self.running and not self.outcomes

    @property
    def may_part(self) -> bool:
        """True when others may own it while attempts run: all have begun, none is of a run, and no reply is missing."""
        begun = bool(self.running) and None not in self.running.values()
        return self.parts_at is not None and begun and self.leaving and not self.unconfirmed

    @property
    def claims(self) -> list[ClaimId]:
        """Claims that are running, or ended and not settled."""
        return [*self.running, *(outcome.claimed.claim_id for outcome in self.outcomes)]

    def take_batch(self, now_ms: int) -> Batch | None:
        """Take out all that the next settle carries; None = nothing."""
        for integration_id in self.changed_lanes:
            changes = self.lanes[integration_id].changes(now_ms)
            self.settings += [LaneSetting(integration_id, field, value) for field, value in changes.items()]
        self.changed_lanes.clear()
        if self.parted:
            self.settings.clear()  # its owner's to say
        counted = self.attempted.counters() | self.counted
        if not (self.outcomes or self.settings or counted):
            return None
        batch = (self.outcomes, self.settings, counted)
        self.outcomes, self.settings, self.attempted, self.counted = [], [], Attempted(), Counter()
        return batch

    def takes(self, generation: int) -> bool:
        """True when events that were given under that generation are ours to send. Others go back as they are."""
        return generation == self.generation and not self.unconfirmed and not self.resting

    def note(self, claim: Claim, asked_at: float, now: float) -> None:
        """Take over what the reply to a claim says of the partition. What was given and never came is owned anew."""
        self.renewed_at = asked_at
        self.due_at = _due_at(claim, now)
        self.work_expected = self.work_expected or (self.due_at is not None and self.due_at <= now)
        self.unconfirmed |= self.unasked.misses(claim.given, now)
        self.due_at = _earlier(self.due_at, self.unasked.missed_at)

    def note_given(self, claim: Claim, now: float) -> None:
        """The same of one that an accept made. A later reply may have been read before it."""
        self.unasked.came += len(claim.events) + len(claim.unreadable) + len(claim.too_large)
        self.due_at = _earlier(self.due_at, _due_at(claim, now))

    def confirmed(self) -> None:
        """It is owned anew, under the newest generation."""
        self.generation, self.unasked = self.newest_generation, Unasked()
        self.unconfirmed, self.resting, self.work_expected = False, False, True

    def begin(self, claimed: Claimed) -> None:
        """Count it as running, before its attempt begins."""
        self.running[claimed.claim_id] = None
        self.claimed_bytes += claimed.size_bytes

    def line_up(self, head: ClaimId, run: Run) -> None:
        """Count what follows a head as running, before the head begins."""
        self.runs[head] = run
        for claimed in run:
            self.begin(claimed)

    def drop(self, head: Claimed) -> None:
        """Neither it nor what follows it begins."""
        for claimed in (head, *self.runs.pop(head.claim_id, ())):
            self.end(claimed)

    def end(self, claimed: Claimed) -> None:
        """It runs no more, if it did."""
        if self.running.pop(claimed.claim_id, self) is not self:
            self.claimed_bytes -= claimed.size_bytes

    def put_back(self, batch: Batch) -> None:
        """Keep a batch for another settle, which is safe to repeat. Counters are dropped: they may have counted."""
        self.outcomes = batch[0] + self.outcomes
        self.settings = batch[1] + self.settings

    def count(self, name: str) -> None:
        """Add one to a counter that the next settle carries."""
        self.counted[name] += 1

    def cancel(self) -> list[asyncio.Task[None]]:
        """Cancel running attempts, and begin none that are given; returns their tasks."""
        self.resting = True
        begun = [task for task in self.running.values() if task is not None]
        for task in begun:
            task.cancel()
        return begun


def _due_at(claim: Claim, now: float) -> float | None:
    """Time on the steady clock when something is next due."""
    return None if claim.next_due_ms is None else now + (claim.next_due_ms - claim.now_ms) / 1000


def _earlier(one: float | None, other: float | None) -> float | None:
    return min((at for at in (one, other) if at is not None), default=None)


def running_in(partitions: Iterable[OwnedPartition]) -> int:
    """Attempts that run, or are about to begin."""
    return sum(len(owned.running) for owned in partitions)


def ended_in(partitions: Iterable[OwnedPartition]) -> int:
    """Outcomes that are not settled."""
    return sum(len(owned.outcomes) for owned in partitions)


def room_bytes(partitions: Iterable[OwnedPartition]) -> int:
    """Bytes of documents that may be claimed; where none is claimed any number, since one may fill it alone."""
    claimed = sum(owned.claimed_bytes for owned in partitions)
    return ALL_BYTES - claimed if claimed else ANY_SIZE


Allotment = tuple[OwnedPartition, int]
"""A partition and the number of events to claim at most; 0 renews its lease, and says how many it takes unasked."""


def allot(partitions: Collection[OwnedPartition], free: int, now: float, renew_before: float) -> list[Allotment]:
    """The claims of one round: ``free`` slots in equal shares, the partition that has waited longest first.

    ``renew_before``: a lease that was last renewed before then is renewed without claiming. Times are seconds of the
    steady clock. Where no slot is free, those that are kept for events given unasked are asked back.
    """
    short = free <= 0
    claiming = [] if short else [one for one in partitions if one.may_claim(now)]
    claiming.sort(key=lambda one: one.turn)
    turn = max((one.turn for one in partitions), default=0)
    claims = []
    for position, owned in enumerate(claiming):
        share = -(-free // (len(claiming) - position))
        free -= share
        if share:
            turn += 1
            owned.turn = turn
            owned.work_expected = False  # before asking: a nudge that overtakes the answer must not be forgotten
            claims.append((owned, share))
    asked = {owned.partition for owned, _ in claims}
    stale = [
        one
        for one in partitions
        if (one.renewed_at < renew_before or (short and one.unasked.left)) and not (one.unconfirmed or one.parted)
    ]
    return claims + [(one, 0) for one in stale if one.partition not in asked]
