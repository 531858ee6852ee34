"""A client for work that can wait a moment: whatever is asked in one moment goes to Redis as one request.

A request of its own costs this process and Redis some 300 µs, however little it asks. What is done every second begins
at one moment (``dispatcher.periodic``), and so becomes one request, whoever asks. Decides nothing about what is asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from redis.asyncio import Redis, RedisCluster

from dispatcher.store.redis.cancellable import Cancellable, exchange_over

TURNS = 3
"""Turns of the event loop that the first who asks waits for others: they were woken in the same one."""

Words = Sequence[Any]
_Client = TypeVar("_Client", bound=Redis | RedisCluster)


def together(client: _Client) -> _Client:
    """A client over the connections of ``client``, which is to be closed as ever; for a cluster it is the same one."""
    if isinstance(client, RedisCluster) or not issubclass(client.connection_pool.connection_class, Cancellable):
        return client
    return cast("_Client", Together(connection_pool=cast("Any", client.connection_pool)))


@dataclass(frozen=True, slots=True)
class _Asked:
    commands: Sequence[Words]
    replies: asyncio.Future[list[Any]]

    async def read_response(self, **_: object) -> object:
        """The reply to its only command, as a connection of redis-py gives it."""
        (reply,) = await self.replies
        if isinstance(reply, Exception):
            raise reply
        return reply


class Together(Redis):
    """Not for subscriptions, transactions or commands that wait. A pipeline of it goes by itself."""

    _asked: list[_Asked] | None = None
    _sending: asyncio.Task[None] | None = None

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """As any client of redis-py does. Raises redis-py's errors."""
        asked = self._ask([args])
        return await self.parse_response(cast("Any", asked), args[0], **options)

    async def exchange(self, commands: Sequence[Words]) -> list[Any]:
        """The replies; an error reply stands in its place. Raises redis-py's errors when there is none."""
        return await self._ask(commands).replies

    def _ask(self, commands: Sequence[Words]) -> _Asked:
        asked = _Asked(commands, asyncio.get_running_loop().create_future())
        if self._asked is None:
            self._asked = []
            self._sending = asyncio.create_task(self._send(), name="together")
        self._asked.append(asked)
        return asked

    async def _send(self) -> None:
        """Whoever gave up waiting is not asked for; an error concerns all of them."""
        for _ in range(TURNS):
            await asyncio.sleep(0)
        taken, self._asked = self._asked or [], None
        waiting = [one for one in taken if not one.replies.done()]
        try:
            replies = await exchange_over(self, [words for one in waiting for words in one.commands])
        except Exception as error:
            for one in waiting:
                if not one.replies.done():
                    one.replies.set_exception(error)
            return
        first = 0
        for one in waiting:
            if not one.replies.done():
                one.replies.set_result(replies[first : first + len(one.commands)])
            first += len(one.commands)
