"""A TCP proxy between a process and its Redis: delays, slices, throttles, stalls, cuts. Knows no commands.

A marker is any bytes of a request, such as the SHA1 of a script. ``CUT`` loses the request, ``CUT_AFTER`` lets the
server answer and loses the reply, ``STALL`` keeps the request for itself and leaves the connection open.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from enum import Enum, auto

from dispatcher.store.redis.scripts import script
from tests.raw_server import RawServer

CHUNK_BYTES = 65_536
SLOTS_PER_S = 50


def marker(name: str) -> bytes:
    """What each request for this script holds."""
    sent = script(name)
    return (sent.function or sent.sha).encode()


class Act(Enum):
    CUT = auto()
    CUT_AFTER = auto()
    STALL = auto()


@dataclass
class Trap:
    """Springs the next ``times`` requests that hold ``marker``."""

    marker: bytes
    act: Act
    times: int = 1
    sprung: asyncio.Event = field(default_factory=asyncio.Event)
    count: int = 0


@dataclass(frozen=True, slots=True)
class _Way:
    """One direction of one connection."""

    name: str
    writer: asyncio.StreamWriter
    half_open: asyncio.Event


class Proxy:
    """Use as ``async with``. ``reply_delay_s``, ``slice_bytes`` (0 = whole) and ``bytes_per_s`` (0 = no limit) hold
    from when they are set; all connections share the throughput of one direction, as they would share a line.
    """

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._server = RawServer(self._link)
        self.traps: list[Trap] = []
        self.reply_delay_s = 0.0
        self.slice_bytes = 0
        self.bytes_per_s = 0
        self._lines = {"requests": asyncio.Lock(), "replies": asyncio.Lock()}
        self._half_open: asyncio.Event = asyncio.Event()

    @property
    def port(self) -> int:
        return self._server.port

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Proxy:
        await self._server.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._server.__aexit__(*error)

    def cut_all(self) -> None:
        """Close every connection now."""
        self._server.cut_all()

    def lose_packets(self) -> None:
        """From now on the connections there are say nothing and never close; new ones work."""
        self._half_open.set()
        self._half_open = asyncio.Event()

    def trap(self, marker: bytes, act: Act, times: int = 1) -> Trap:
        self.traps.append(Trap(marker, act, times))
        return self.traps[-1]

    async def _link(self, client_reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        server_reader, server = await asyncio.open_connection(*self._target)
        losing, half_open = asyncio.Event(), self._half_open
        to_server, to_client = _Way("requests", server, half_open), _Way("replies", client, half_open)
        ways = [self._requests(client_reader, to_server, losing), self._replies(server_reader, to_client, losing)]
        halves = [asyncio.create_task(way) for way in ways]
        try:
            await asyncio.wait(halves, return_when=asyncio.FIRST_COMPLETED)
        finally:
            client.transport.abort()
            server.transport.abort()
            for half in halves:
                half.cancel()
            await asyncio.gather(*halves, return_exceptions=True)

    async def _requests(self, source: asyncio.StreamReader, server: _Way, losing: asyncio.Event) -> None:
        while data := await source.read(CHUNK_BYTES):
            trap = self._spring(data)
            if trap is None:
                await self._pass_on(data, server)
                continue
            trap.sprung.set()
            if trap.act is Act.CUT:
                break
            if trap.act is Act.CUT_AFTER:
                losing.set()
                await self._pass_on(data, server)

    async def _replies(self, source: asyncio.StreamReader, client: _Way, losing: asyncio.Event) -> None:
        while data := await source.read(CHUNK_BYTES):
            if losing.is_set():
                break
            if self.reply_delay_s:
                await asyncio.sleep(self.reply_delay_s)
            await self._pass_on(data, client)

    def _spring(self, data: bytes) -> Trap | None:
        for trap in self.traps:
            if trap.count < trap.times and trap.marker in data:
                trap.count += 1
                return trap
        return None

    async def _pass_on(self, data: bytes, way: _Way) -> None:
        left = memoryview(data)
        while left and not way.half_open.is_set():
            size = self.slice_bytes or (max(1, self.bytes_per_s // SLOTS_PER_S) if self.bytes_per_s else len(left))
            part, left = left[:size], left[size:]
            await self._wait_for_line(len(part), way)
            way.writer.write(bytes(part))
            await way.writer.drain()
            if self.slice_bytes:
                await asyncio.sleep(0)

    async def _wait_for_line(self, size: int, way: _Way) -> None:
        if self.bytes_per_s:
            async with self._lines[way.name]:
                await asyncio.sleep(size / self.bytes_per_s if self.bytes_per_s else 0)
