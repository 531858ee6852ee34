"""Begins claimed attempts a few at a time, so that the event loop serves its sockets in between. No I/O of its own.

A claim brings hundreds of events. Begun all at once they would hold the loop for tens of milliseconds and end together,
and worker and Redis would wait for each other in turn.

Invariants
* No attempt begins under a lease that has run out, unless Redis takes as long for every reply.
* Of a run, k+1 begins only after k was read as SUCCEEDED, or was SKIPPED. Anything else ends it, and what it did not
  come to goes back without an attempt, settled together with the outcome that ended it.
* None follows later than ``RUN_S`` after the claim, or in a partition that may not be ours: within that time a pause, a
  lock, a hand and what is published act on an account.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable

from dispatcher.clock import Seconds
from dispatcher.store.queue.owning.claims import Claimed, Move, Settlement
from worker.partition.owned_partition import OwnedPartition
from worker.partition.run import Run

AT_ONCE = 32
"""Attempts that begin in one turn of the event loop."""

Deliver = Callable[[OwnedPartition, Claimed], Awaitable[Settlement]]


class Launcher:
    """Queue of claimed events whose attempts have not begun, in the order of the claims. One per owner."""

    __slots__ = ("_begin", "_broken", "_loop", "_waiting")

    def __init__(
        self,
        begin: Callable[[OwnedPartition, Claimed], None],
        broken: Callable[[OwnedPartition, Exception], None],
    ) -> None:
        """``begin`` starts the attempt's task; ``broken`` is told when that raises: a turn itself has no caller."""
        self._begin = begin
        self._broken = broken
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[tuple[OwnedPartition, Claimed]] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, owned: OwnedPartition, events: Iterable[Claimed]) -> None:
        """Count them as running at once, and begin them in the next turns of the loop."""
        idle = not self._waiting
        for claimed in events:
            owned.begin(claimed)
            self._waiting.append((owned, claimed))
        if idle and self._waiting:
            self._loop.call_soon(self._turn)

    def clear(self) -> None:
        """Begin nothing more."""
        self._waiting.clear()

    def _turn(self) -> None:
        for _ in range(min(AT_ONCE, len(self._waiting))):
            owned, claimed = self._waiting.popleft()
            if not owned.closed.is_set():
                self._try(owned, claimed)
        if self._waiting:
            self._loop.call_soon(self._turn)

    def _try(self, owned: OwnedPartition, claimed: Claimed) -> None:
        try:
            self._begin(owned, claimed)
        except Exception as error:
            owned.drop(claimed)
            self._broken(owned, error)


class Attempts:
    """Tasks of attempts: an event, or a run of them in turn; outcomes are kept for the next settle. One per owner."""

    __slots__ = ("_broken", "_deliver", "_late_replies", "_loop", "_now", "_run_ended", "_safe_s", "_wake", "runs")

    def __init__(
        self,
        deliver: Deliver,
        broken: Callable[[OwnedPartition, Exception], None],
        wake: Callable[[], None],
        run_ended: Callable[[], None],
        now: Seconds,
        safe_s: float,
    ) -> None:
        """``broken`` is told of errors of ours, ``wake`` is called with each outcome, ``run_ended`` after each run.

        ``safe_s``: time after the renewal of a lease in which nobody else can own its partition.
        """
        self._deliver = deliver
        self._broken = broken
        self._wake = wake
        self._run_ended = run_ended
        self._now = now
        self._loop = asyncio.get_running_loop()  # kept, since asking for it is a system call
        self._safe_s = safe_s
        self._late_replies = 0
        self.runs = 0
        """Under way."""

    def note_reply(self, took_s: float) -> None:
        """Learn how long the store took."""
        self._late_replies = self._late_replies + 1 if took_s > self._safe_s else 0

    def begin(self, owned: OwnedPartition, claimed: Claimed) -> None:
        """Start the task of an event, and of those that follow it in a run; or give all back."""
        claim_id = claimed.claim_id
        run = owned.runs.pop(claim_id, None)
        if self._may_begin(owned):
            owned.running[claim_id] = self._loop.create_task(self._attempt(owned, claimed, run))
            return
        self._keep(owned, Settlement(claimed, Move.RELEASE))
        if run is not None:
            self._give_back(owned, run)

    async def _attempt(self, owned: OwnedPartition, claimed: Claimed, run: Run | None) -> None:
        try:
            if run is not None:
                await self._in_turn(owned, claimed, run)
            else:
                self._keep(owned, await self._deliver(owned, claimed))
        except Exception as error:
            owned.end(claimed)
            self._broken(owned, error)

    async def _in_turn(self, owned: OwnedPartition, head: Claimed, run: Run) -> None:
        claimed = head
        self.runs += 1
        try:
            while True:
                settlement = await self._deliver(owned, claimed)
                following = run.next_after(settlement) if self._may_go_on(owned, run) else None
                self._keep(owned, settlement)
                if following is None:
                    return self._give_back(owned, run)
                claimed = following
                owned.running[claimed.claim_id] = asyncio.current_task()
        finally:
            self.runs -= 1
            for one in (claimed, *run):
                owned.end(one)
            self._run_ended()

    def _may_begin(self, owned: OwnedPartition) -> bool:
        redis_is_slow = self._late_replies > 1  # then nothing would ever begin; a single late reply is our own pause
        return redis_is_slow or self._now() - owned.renewed_at <= self._safe_s  # after that another may own it

    def _may_go_on(self, owned: OwnedPartition, run: Run) -> bool:
        unsure = owned.closed.is_set() or owned.unconfirmed or owned.leaving
        return not unsure and self._now() < run.until and self._may_begin(owned)

    def _give_back(self, owned: OwnedPartition, run: Run) -> None:
        for claimed in run:
            self._keep(owned, Settlement(claimed, Move.RELEASE))

    def _keep(self, owned: OwnedPartition, settlement: Settlement) -> None:
        owned.end(settlement.claimed)
        owned.outcomes.append(settlement)
        self._wake()
