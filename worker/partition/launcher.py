"""Begins claimed attempts a few at a time, so that the event loop serves its sockets in between. No I/O.

A claim brings hundreds of events. Begun all at once they would hold the loop for tens of milliseconds and end together,
and worker and Redis would wait for each other in turn.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable

from dispatcher.store.queue.owning.claims import Claimed
from worker.partition.owned_partition import OwnedPartition

AT_ONCE = 32
"""Attempts that begin in one turn of the event loop."""


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
            owned.end(claimed)
            self._broken(owned, error)
