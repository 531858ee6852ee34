"""Starts the benchmark's product host, and asks it what arrived."""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import orjson

from dispatcher.cli.bench.children import program
from dispatcher.cli.bench.sink import HOST


class Sink:
    """Answers questions one after the other: one task asks."""

    def __init__(self, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.port = port
        self._reader = reader
        self._writer = writer

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}/notifications"

    async def reset(self, *, with_ids: bool = False) -> None:
        await self._ask("/reset-with-ids" if with_ids else "/reset")

    async def count(self) -> int:
        return int(await self._ask("/count"))

    async def times_s(self) -> list[float]:
        """Arrival times, on the clock of ``time.monotonic``."""
        times = array("d")
        times.frombytes(await self._ask("/times"))
        return times.tolist()

    async def ids(self) -> list[str]:
        found: list[str] = orjson.loads(await self._ask("/ids"))
        return found

    async def _ask(self, path: str) -> bytes:
        self._writer.write(f"GET {path} HTTP/1.1\r\n\r\n".encode())
        head = await self._reader.readuntil(b"\r\n\r\n")
        return await self._reader.readexactly(int(head.rpartition(b": ")[2]))


@asynccontextmanager
async def sink_process(folder: Path, port: int = 0) -> AsyncIterator[Sink]:
    """``port`` 0 = any."""
    async with program(folder, ["dispatcher.cli.bench.sink", str(port)], name="host") as child:
        listening = await child.said(r"listening on (\d+ and for questions on \d+)")
        taking, _, asking = listening.partition(" and for questions on ")
        reader, writer = await asyncio.open_connection(HOST, int(asking))
        try:
            yield Sink(int(taking), reader, writer)
        finally:
            writer.close()
