"""One partition in its owner's hands: what runs, what is to be settled, when to ask again. No I/O."""

from __future__ import annotations

import asyncio
from collections import Counter

from dispatcher.store.queue.partition import Handle, LaneSetting, Settlement
from worker.partition.lane import Lane

Batch = tuple[list[Settlement], list[LaneSetting], Counter[str]]


class Holding:
    """Times are seconds of the steady clock."""

    __slots__ = (
        "asked_for",
        "closed",
        "counted",
        "due_at",
        "generation",
        "hungry",
        "lanes",
        "leaving",
        "outcomes",
        "partition",
        "renewed_at",
        "rests_until",
        "running",
        "settings",
        "touched",
        "turn",
        "uncertain",
    )

    def __init__(self, partition: int, generation: int, now: float) -> None:
        self.partition = partition
        self.generation = generation
        self.asked_for = generation
        """The newest generation that the store may know us by."""
        self.running: dict[Handle, asyncio.Task[None] | None] = {}
        """What was claimed and has not ended; None until it begins."""
        self.outcomes: list[Settlement] = []
        self.settings: list[LaneSetting] = []
        self.counted: Counter[str] = Counter()
        self.lanes: dict[str, Lane] = {}
        self.touched: set[str] = set()
        self.hungry = True
        """There may be work to claim now."""
        self.due_at: float | None = None
        self.turn = 0
        """Who was asked for work last has the highest."""
        self.renewed_at = now
        """When it was asked for what we know of its lease."""
        self.uncertain = False
        """A reply was lost: ask the store what we hold before anything else."""
        self.rests_until = 0.0
        """A script broke off: nothing is asked before then."""
        self.leaving = False
        """Claim nothing more; rest when nothing runs."""
        self.closed = asyncio.Event()

    def wants(self, now: float) -> bool:
        """Whether a claim may bring something."""
        return (
            not self.leaving
            and not self.uncertain
            and (self.hungry or (self.due_at is not None and self.due_at <= now))
        )

    def ready(self, now: float, free: bool) -> bool:
        """Whether the next round has something to do here."""
        if self.uncertain:
            return self.rests_until <= now
        return bool(self.outcomes) or (free and self.wants(now))

    def wakes_at(self, free: bool) -> float | None:
        """When there will be something to do here though nobody says so; None: not by itself."""
        if self.uncertain:
            return self.rests_until
        return self.due_at if free and not self.leaving else None

    @property
    def held(self) -> list[Handle]:
        """What is still worked on: running, or ended and not yet settled."""
        return [*self.running, *(outcome.claimed.handle for outcome in self.outcomes)]

    def take_batch(self, now_ms: int) -> Batch | None:
        """What the next settle is to carry, taken out; None = nothing."""
        for integration_id in self.touched:
            self.settings += self.lanes[integration_id].changes(now_ms)
        self.touched.clear()
        if not (self.outcomes or self.settings or self.counted):
            return None
        batch = (self.outcomes, self.settings, self.counted)
        self.outcomes, self.settings, self.counted = [], [], Counter()
        return batch

    def put_back(self, batch: Batch) -> None:
        """The settle may not have happened; repeating it is safe. Counters are not repeated: they may be in."""
        self.outcomes = batch[0] + self.outcomes
        self.settings = batch[1] + self.settings

    def count(self, name: str, by: int = 1) -> None:
        """Add to a counter that the next settle carries."""
        self.counted[name] += by

    def cancel(self) -> list[asyncio.Task[None]]:
        """Stop what runs; the tasks, to wait for."""
        begun = [task for task in self.running.values() if task is not None]
        for task in begun:
            task.cancel()
        return begun
