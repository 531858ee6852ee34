"""Asks the sink what arrived, and watches a drain: rate and CPU of its steady part."""

from __future__ import annotations

import asyncio
import time
from array import array
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from bench.children import ChildFailed, cpu_s, program

POLL_S = 0.02
FROM, TO = 0.15, 0.95
"""The steady part of a drain: connections are made before it, the last stragglers come after it."""


@dataclass(frozen=True, slots=True)
class Drain:
    """``cpu_us`` per arrival, by the name of the process."""

    rate_per_s: float
    cpu_us: Mapping[str, float] = field(default_factory=dict)


class Sink:
    def __init__(self, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.port = port
        self._reader = reader
        self._writer = writer

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/notifications"

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
async def sink_process(folder: Path) -> AsyncIterator[Sink]:
    async with program(folder, ["bench.sink"]) as child:
        port = int(await child.said(r"listening on (\d+)"))
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            yield Sink(port, reader, writer)
        finally:
            writer.close()


async def watch(
    sink: Sink, expected: int, pids: Mapping[str, int], *, begin: float = FROM, within_s: float = 120.0
) -> Drain:
    """Until ``TO`` of ``expected`` have arrived since the reset. Raises ``ChildFailed`` when they do not come."""
    first, last = int(expected * begin), int(expected * TO)
    deadline_s = time.monotonic() + within_s
    started: tuple[int, dict[str, float]] | None = None
    while (count := await sink.count()) < last:
        if started is None and count >= first:
            started = (count, _cpu(pids))
        if time.monotonic() > deadline_s:
            raise ChildFailed(f"only {count} of {expected} events arrived in {within_s:g} s")
        await asyncio.sleep(POLL_S)
    ended = _cpu(pids)
    times_s = await sink.times_s()
    rate = (last - 1 - first) / (times_s[last - 1] - times_s[first])
    if started is None:
        return Drain(rate)
    events = count - started[0]
    return Drain(rate, {name: (ended[name] - used) / events * 1e6 for name, used in started[1].items()})


def _cpu(pids: Mapping[str, int]) -> dict[str, float]:
    return {name: cpu_s(pid) for name, pid in pids.items()}
