"""Begins claimed attempts a few at a time, so that the event loop serves its sockets in between. No I/O.

A claim brings hundreds of events. Begun all at once they would hold the loop for tens of milliseconds and end together,
and worker and Redis would take turns in waiting for each other.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable

from dispatcher.store.queue.partition import Claimed
from worker.partition.owned_partition import Holding

AT_ONCE = 32
"""Attempts that begin in one turn of the event loop."""


class Starting:
    """What was claimed and has not begun, in the order of the claims. One per owner."""

    __slots__ = ("_begin", "_failure", "_loop", "_waiting")

    def __init__(self, begin: Callable[[Holding, Claimed], None]) -> None:
        """``begin`` starts the attempt's task."""
        self._begin = begin
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[tuple[Holding, Claimed]] = deque()
        self._failure: Exception | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, holding: Holding, events: Iterable[Claimed]) -> None:
        """They count as running at once, and begin in the next turns of the loop.

        Raises what kept an earlier one from beginning: nobody hears of what goes wrong in a turn.
        """
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure
        idle = not self._waiting
        for claimed in events:
            holding.running[claimed.handle] = None
            self._waiting.append((holding, claimed))
        if idle and self._waiting:
            self._loop.call_soon(self._turn)

    def clear(self) -> None:
        """Begin nothing more."""
        self._waiting.clear()

    def _turn(self) -> None:
        for _ in range(min(AT_ONCE, len(self._waiting))):
            holding, claimed = self._waiting.popleft()
            if not holding.closed.is_set():
                self._try(holding, claimed)
        if self._waiting:
            self._loop.call_soon(self._turn)

    def _try(self, holding: Holding, claimed: Claimed) -> None:
        try:
            self._begin(holding, claimed)
        except Exception as failure:
            del holding.running[claimed.handle]
            self._failure = failure
