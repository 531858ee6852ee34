"""Bounds the reads that are under way at once: in all, and of one client or vendor. Knows nothing of what is read.

What costs more than looking at one thing takes a turn: so many at a time, none of whom has all of them. Whoever finds
none waits, behind those who have fewer; where too many wait already, one is told when to come again.
"""

from __future__ import annotations

import asyncio
from collections import Counter

from aiohttp import web

from dispatcher.errors import Problem, RequestError
from dispatcher.model.access import Caller

AT_ONCE = 16
OF_ONE = 8
"""Of one share at once."""
WAITING = 256
WAITING_OF_ONE = 32
MOST_S = 60.0
"""Time for one, sending its answer included; then its connection is cut."""
RETRY_AFTER_S = 1

_Waiting = tuple[str, asyncio.Future[None]]


def share_of(caller: Caller) -> str:
    """Whose turns a caller takes: its vendor's, or its own."""
    return f"vendor {caller.vendor_id}" if caller.vendor_id is not None else caller.client_id


class Turns:
    """One per process."""

    def __init__(self, at_once: int = AT_ONCE, of_one: int = OF_ONE) -> None:
        self._at_once = at_once
        self._of_one = of_one
        self._running: Counter[str] = Counter()
        self._waiting: list[_Waiting] = []

    @property
    def running(self) -> int:
        return self._running.total()

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    async def begin(self, share: str) -> None:
        """A turn that lasts until this task ends: a request's ends when its answer is sent. Raises 429 or 503."""
        await self._take(share)
        task = asyncio.current_task()
        assert task is not None
        task.add_done_callback(lambda _: self._end(share))

    async def _take(self, share: str) -> None:
        if self._is_free(share):
            self._running[share] += 1
            return
        self._refuse_too_many(share)
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting = (share, turn)
        self._waiting.append(waiting)
        self._hand_out()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._end(share)
            else:
                self._waiting.remove(waiting)
            raise

    def _is_free(self, share: str) -> bool:
        return self._running.total() < self._at_once and self._running[share] < self._of_one

    def _end(self, share: str) -> None:
        self._running[share] -= 1
        if not self._running[share]:
            del self._running[share]
        self._hand_out()

    def _hand_out(self) -> None:
        """Whoever has fewest under way goes first; of these, whoever came first."""
        while waiting := [one for one in self._waiting if not one[1].done() and self._is_free(one[0])]:
            chosen = min(waiting, key=lambda one: self._running[one[0]])
            self._waiting.remove(chosen)
            self._running[chosen[0]] += 1
            chosen[1].set_result(None)

    def _refuse_too_many(self, share: str) -> None:
        headers = {"Retry-After": str(RETRY_AFTER_S)}
        own = sum(one == share for one, _ in self._waiting)
        if own >= WAITING_OF_ONE:
            text = f"{self._of_one} reads of yours are under way and {own} wait; repeat this one when some have ended."
            raise RequestError([Problem("too_many_reads", text)], 429, headers)
        if len(self._waiting) >= WAITING:
            raise RequestError([Problem("busy", "Too many reads wait already; repeat it in a second.")], 503, headers)


TURNS = web.AppKey("turns", Turns)


async def take_turn(request: web.Request, caller: Caller) -> None:
    """For whoever handles ``request`` and is about to read much. Raises 429 or 503.

    It ends when the answer is sent; whoever does not take that off the network loses the connection.
    """
    await request.app[TURNS].begin(share_of(caller))
    task, transport = asyncio.current_task(), request.transport
    if task is not None and transport is not None:
        cutting = asyncio.get_running_loop().call_later(MOST_S, transport.abort)
        task.add_done_callback(lambda _: cutting.cancel())
