"""Follows the stream of status changes across lost connections and expired tokens. Misses nothing that is kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import aiohttp
import orjson

from dispatcher.client.answers import ChangeJson
from dispatcher.client.errors import ApiError, Unreachable, api_error
from dispatcher.client.server_sent import Message, messages
from dispatcher.client.tokens import read_json
from dispatcher.client.transport import PASSING_STATUSES, Query, Transport, reason

SILENCE_S = 45.0
"""Three heartbeats of the server."""
PAUSES_S = (0.2, 0.5, 1.0, 2.0, 5.0)
STREAM_PATH = "/v1/events/stream"

Notice = Callable[[str], None]


class Follower:
    """One stream. ``notice`` hears in words of each loss and each return of the connection.

    ``position``: of the newest change that was handed out; another stream goes on behind it. Empty = from now on.
    ``opened``: set from the first connection on.
    """

    def __init__(self, transport: Transport, query: Query, notice: Notice, position: str = "") -> None:
        self._transport = transport
        self._query = query
        self._notice = notice
        self.position = position
        self._lost = 0
        self.opened = asyncio.Event()

    async def changes(self) -> AsyncIterator[ChangeJson]:
        """Without end. Raises ApiError when refused, and Unreachable if nobody answers at the very first."""
        while True:
            try:
                async for message in self._connection():
                    self.position = message.id or self.position
                    yield orjson.loads(message.data)
                await self._pause("the stream ended")
            except (aiohttp.ClientError, OSError) as error:
                if not self.opened.is_set():
                    raise Unreachable(self._transport.base_url, reason(error)) from error
                await self._pause(reason(error))
            except ApiError as error:
                if not self.opened.is_set() or error.status not in PASSING_STATUSES | {401}:
                    raise
                await self._pause(str(error))

    async def _connection(self) -> AsyncIterator[Message]:
        token = await self._transport.tokens.current()
        headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}
        if self.position:
            headers["Last-Event-ID"] = self.position
        async with self._transport.session.get(
            self._transport.base_url + STREAM_PATH,
            params=self._query,
            headers=headers,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=5.0, sock_read=SILENCE_S),
        ) as answer:
            if answer.status == 401:
                self._transport.tokens.forget(token)
            if answer.status != 200:
                raise api_error(answer.status, await read_json(answer), answer.headers.get("X-Request-Id"))
            self._connected()
            async for message in messages(answer.content):
                yield message

    def _connected(self) -> None:
        if self._lost:
            self._notice("connected again")
        self.opened.set()
        self._lost = 0

    async def _pause(self, why: str) -> None:
        if not self._lost:
            self._notice(f"connection lost ({why}); connecting again")
        await asyncio.sleep(PAUSES_S[min(self._lost, len(PAUSES_S) - 1)])
        self._lost += 1
