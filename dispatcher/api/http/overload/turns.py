"""Bounds what is under way at once: in all, and of one client or vendor. Knows nothing of what it is.

Whoever finds no room waits, behind those who have less; where too many wait already, one is told when to come again.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from aiohttp import web

from dispatcher.errors import Problem, RequestError
from dispatcher.model.access import Caller

MOST_S = 60.0
"""Time for one read, sending its answer included; then its connection is cut."""
RETRY_AFTER_S = 1


@dataclass(frozen=True, slots=True)
class Room:
    """The most that is under way, of anything that has a size; and the requests that may wait for it."""

    at_once: int
    of_one: int
    """Of one share."""
    waiting: int
    waiting_of_one: int
    what: str


READS = Room(at_once=16, of_one=8, waiting=256, waiting_of_one=32, what="reads")


def share_of(caller: Caller) -> str:
    """The share that a caller takes turns of: its vendor's, or its own."""
    return f"vendor {caller.vendor_id}" if caller.vendor_id is not None else caller.client_id


class _Waiting(NamedTuple):
    share: str
    size: int
    turn: asyncio.Future[None]


class Turn:
    """Ends with its task, or before."""

    def __init__(self, end: Callable[[], None]) -> None:
        self._end: Callable[[], None] | None = end

    def end(self) -> None:
        """Makes room for others, once."""
        end, self._end = self._end, None
        if end is not None:
            end()


class Turns:
    """One per process and kind of work."""

    def __init__(self, room: Room = READS) -> None:
        self._room = room
        self._running: Counter[str] = Counter()
        self._waiting: list[_Waiting] = []

    @property
    def running(self) -> int:
        """Size of what is under way."""
        return self._running.total()

    @property
    def waiting(self) -> int:
        """Number of those that wait."""
        return len(self._waiting)

    async def begin(self, share: str, size: int = 1, *, task: asyncio.Task[Any] | None = None) -> Turn:
        """A turn that lasts until ``task`` ends, or else the current one. Raises 429 or 503.

        That of a request ends when its answer is sent.
        """
        await self._take(share, size)
        lasting = task or asyncio.current_task()
        assert lasting is not None
        turn = Turn(partial(self._end, share, size))
        lasting.add_done_callback(lambda _: turn.end())
        return turn

    async def _take(self, share: str, size: int) -> None:
        waiting = _Waiting(share, size, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._hand_out()
        if waiting.turn.done():
            return
        try:
            self._refuse_too_many(share)
            await waiting.turn
        except BaseException:
            if waiting in self._waiting:
                self._waiting.remove(waiting)
            else:
                self._end(share, size)
            raise

    def _end(self, share: str, size: int) -> None:
        self._running[share] -= size
        if not self._running[share]:
            del self._running[share]
        self._hand_out()

    def _hand_out(self) -> None:
        """The share that has least under way goes first; in a share, whoever came first."""
        while (chosen := self._next()) is not None and self._fits(self.running, chosen.size, self._room.at_once):
            self._waiting.remove(chosen)
            self._running[chosen.share] += chosen.size
            chosen.turn.set_result(None)

    def _next(self) -> _Waiting | None:
        first: dict[str, _Waiting] = {}
        for one in self._waiting:
            if not one.turn.done():
                first.setdefault(one.share, one)
        own = [one for one in first.values() if self._fits(self._running[one.share], one.size, self._room.of_one)]
        return min(own, key=lambda one: self._running[one.share], default=None)

    def _fits(self, running: int, size: int, most: int) -> bool:
        """True where there is room; one that is larger than all of it has it for itself."""
        return running + size <= most or not running

    def _refuse_too_many(self, share: str) -> None:
        headers, what = {"Retry-After": str(RETRY_AFTER_S)}, self._room.what
        own = sum(one.share == share for one in self._waiting) - 1
        if own >= self._room.waiting_of_one:
            text = f"{own} {what} of yours wait already; repeat this one when some have ended."
            raise RequestError([Problem("too_many_at_once", text)], 429, headers)
        if len(self._waiting) > self._room.waiting:
            raise RequestError([Problem("busy", f"Too many {what} wait already; repeat it in a second.")], 503, headers)


TURNS = web.AppKey("turns", Turns)
EXPORTS = Room(at_once=8, of_one=2, waiting=16, waiting_of_one=4, what="exports")
EXPORT_TURNS = web.AppKey("export_turns", Turns)
"""Of exports, which go on for as long as they are read."""
SEARCHES = Room(at_once=4, of_one=1, waiting=16, waiting_of_one=0, what="searches of payloads")
SEARCH_TURNS = web.AppKey("search_turns", Turns)
"""Of searches that read payloads, one at a time of a client or vendor."""

CHANGES = Room(at_once=16, of_one=4, waiting=1024, waiting_of_one=512, what="changes")
CHANGE_TURNS = web.AppKey("change_turns", Turns)
"""Of mutations, and of REST's changes of records. One that waits for a worker gives its turn back."""


async def take_turn(request: web.Request, caller: Caller) -> Turn:
    """For whoever handles ``request`` and is about to read much. Raises 429 or 503.

    It ends when the answer is sent; whoever does not take that off the network loses the connection.
    """
    turn = await request.app[TURNS].begin(share_of(caller))
    task, transport = asyncio.current_task(), request.transport
    if task is not None and transport is not None:
        cutting = asyncio.get_running_loop().call_later(MOST_S, transport.abort)
        task.add_done_callback(lambda _: cutting.cancel())
    return turn
