"""Bounds what one request may have read, in bytes: lists within lists, and the same list under many names, add up."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from dispatcher.api.http.overload.turns import Room, Turns
from dispatcher.errors import InvalidRequest

MOST_BYTES = 4 << 20
"""Of what is stored; what is made of it is some ten times as large."""
VERSION_BYTES = 2048
"""Counted for one more view of what was read already."""
TEST_BYTES = 4096
"""Counted for a ping test."""
LOOK_BYTES = 512
"""Counted for a look at the queue."""


FREE_BYTES = 256 << 10
"""Read without a turn of those that read much."""
LARGE_QUERIES = Room(at_once=4, of_one=1, waiting=64, waiting_of_one=32, what="large queries")
QUERY_TURNS = web.AppKey("query_turns", Turns)


@dataclass(slots=True)
class Allowance:
    """One per request. ``large`` begins its turn among those that read much, before it goes on to read."""

    large: Callable[[], Awaitable[object]]
    left: int = MOST_BYTES
    _begun: asyncio.Future[object] | None = None

    async def spend(self, size: int) -> None:
        """Raises ``InvalidRequest`` when it is used up; 429 or 503 where too many read much already."""
        self.left -= size
        if self.left < 0:
            text = f"The query reads more than {MOST_BYTES >> 20} MiB: ask for less at a time, with limit and last."
            raise InvalidRequest.of("query_too_large", text, "query")
        if MOST_BYTES - self.left > FREE_BYTES:
            if self._begun is None:
                self._begun = asyncio.ensure_future(self.large())
            await self._begun
