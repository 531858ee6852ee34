"""Connections of one session between their requests, by where they lead.

Each stays with its parser for as long as it lasts, and is no business of aiohttp's pool until the session ends: taking
it out of there and putting it back would cost more than the request. The one that was used last is taken first, so that
what a burst needed beyond the usual is closed soon after it.
"""

from __future__ import annotations

import asyncio
import math

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection

from worker.http.aiohttp_inside.answer_parser import AnswerParser
from worker.http.connector import KEEP_ALIVE_S

DEADLINES_EVERY_S = 0.05
"""Between two looks for requests whose time is over. A timer for each request would cost as much as writing it."""


class HostConnection:
    """One connection, from its first request to its last."""

    __slots__ = ("_connection", "carried", "deadline_s", "idle_since_s", "parser", "protocol")

    def __init__(self, connection: Connection) -> None:
        assert connection.protocol is not None
        self._connection = connection
        self.protocol: ResponseHandler = connection.protocol
        self.parser = AnswerParser(self.protocol)
        self.carried = False
        """It carried a request before: the host may give it up at any time."""
        self.idle_since_s = 0.0
        self.deadline_s = math.inf
        """Of the head of the answer that it waits for."""

    @property
    def is_lasting(self) -> bool:
        """Another request may go over it, as far as the host has shown."""
        return self.protocol.is_connected() and not self.protocol.should_close

    @property
    def listens(self) -> bool:
        """False where an answer in very many pieces had it stop reading: what comes next would never be seen."""
        return self.protocol.transport is not None and self.protocol.transport.is_reading()

    def end(self) -> None:
        """Close it at once: an orderly end would wait until the host has read what it may never read."""
        if (transport := self.protocol.transport) is not None:
            transport.abort()
        self._connection.close()

    def hand_back(self) -> None:
        """Leave it to aiohttp, which closes it with all others."""
        self._connection.release()


class HostConnections:
    """Those of one session. Times are seconds of the loop's clock."""

    def __init__(self) -> None:
        self._open: set[HostConnection] = set()
        self._idle: dict[aiohttp.ClientRequest, list[HostConnection]] = {}
        self._sweep: asyncio.TimerHandle | None = None
        self._looking: asyncio.TimerHandle | None = None
        self._closed = False

    @property
    def idle(self) -> list[HostConnection]:
        """Those that wait for a request."""
        return [one for some in self._idle.values() for one in some]

    @property
    def looks(self) -> bool:
        """True until a look for deadlines has found that nothing waits for an answer."""
        return self._looking is not None

    def add(self, made: Connection) -> HostConnection:
        """Take charge of a new one."""
        connection = HostConnection(made)
        self._open.add(connection)
        return connection

    def take(self, origin: aiohttp.ClientRequest, now_s: float) -> HostConnection | None:
        """One that waits, if nothing came of it unasked: that answers no later request."""
        idle = self._idle.get(origin)
        while idle:
            connection = idle.pop()
            if now_s - connection.idle_since_s <= KEEP_ALIVE_S and connection.is_lasting:
                return connection
            self.end(connection)
        return None

    def expect(self, connection: HostConnection, deadline_s: float) -> None:
        """Have the request that goes over it now end with ``TimeoutError`` soon after its deadline."""
        connection.deadline_s = deadline_s
        if self._looking is None:
            self._looking = asyncio.get_running_loop().call_later(DEADLINES_EVERY_S, self._look)

    def keep(self, origin: aiohttp.ClientRequest, connection: HostConnection, now_s: float) -> None:
        """Have it wait for the next request, unless the host wants it closed."""
        if self._closed or not connection.is_lasting or not connection.listens:
            self.end(connection)
            return
        connection.carried, connection.idle_since_s = True, now_s
        self._idle.setdefault(origin, []).append(connection)
        if self._sweep is None:
            self._sweep = asyncio.get_running_loop().call_later(KEEP_ALIVE_S, self._end_old)

    def end(self, connection: HostConnection) -> None:
        """Close it for good."""
        self._open.discard(connection)
        connection.end()

    def close(self) -> None:
        """End those to hosts that do not read, also under requests; leave the others to aiohttp."""
        self._closed = True
        if self._sweep is not None:
            self._sweep.cancel()
        for connection in self._open:
            transport = connection.protocol.transport
            if transport is not None and transport.get_write_buffer_size():
                transport.abort()
        for connection in self.idle:
            self._open.discard(connection)
            connection.hand_back()
        self._idle.clear()

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        now_s, waiting = loop.time(), False
        for connection in self._open:
            if connection.deadline_s <= now_s:
                connection.deadline_s = math.inf
                connection.protocol.set_exception(TimeoutError("no answer in time"))
            elif connection.deadline_s < math.inf:
                waiting = True
        self._looking = loop.call_later(DEADLINES_EVERY_S, self._look) if waiting else None

    def _end_old(self) -> None:
        loop = asyncio.get_running_loop()
        self._sweep, oldest_s = None, loop.time() - KEEP_ALIVE_S
        for origin, idle in list(self._idle.items()):
            old = [one for one in idle if one.idle_since_s <= oldest_s or not one.is_lasting]
            for connection in old:
                idle.remove(connection)
                self.end(connection)
            if not idle:
                del self._idle[origin]
        if self._idle:
            self._sweep = loop.call_later(KEEP_ALIVE_S, self._end_old)
