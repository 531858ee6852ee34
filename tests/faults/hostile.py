"""``python -m tests.faults.hostile --minutes 5``: a hostile vendor does all it can, and a healthy one is measured.

An API, a worker and a Redis run as processes. The hostile vendor has hosts that hang, names that are slow, filters that
look for long, pings on silent hosts, events of a megabyte, and reads of all that is stored. Exit status 1 when the
healthy vendor's events or accepts take too long.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

from dispatcher.flow.pings.request import PingOptions, request_ping
from dispatcher.model.integration import Integration
from dispatcher.model.ping import PingVersion
from dispatcher.store.definitions.pings.starter import QueuedPings, open_jobs
from tests.events import event_of
from tests.faults.client import Client, client_of
from tests.faults.deployment import PARTITIONS, Deployment, deployed
from tests.faults.filler import filler
from tests.hosts import ProductHost
from tests.raw_server import RawServer

HANGING, SLOW_NAMES, PINGS, LARGE = 90, 250, 80, 60
OFFERED = 2048
EVERY_S = 0.1
LAG_S, ACCEPT_S = 2.0, 0.2
"""Promise to the healthy vendor: 99 of 100 events sent, and 99 of 100 accepts answered, within that."""
NAMES = """
import socket, time
system = socket.getaddrinfo
def slow(host, *rest, **named):
    if str(host).startswith("slow"):
        time.sleep(30)
        raise socket.gaierror(socket.EAI_AGAIN, "slow")
    return system(host, *rest, **named)
socket.getaddrinfo = slow
from dispatcher.cli.main import main
main()
"""
"""``dispatcher`` with a name server that takes half a minute for some names."""
WORST_FILTER = {f"payload.a{n}": {"$nin": [str(value) for value in range(100)]} for n in range(50)}
FILLER = filler(900_000)
READS = ("/v1/events?limit=1000", "/v1/events?status=DEAD&limit=1000", "/v1/queue")
QUERIES = ('"\\' * 30_000, "{ " + " ".join(f"unknown{n}" for n in range(450)) + " }")


async def hang(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """Read what is sent, and never answer."""
    while await reader.read(2**16):
        pass


@dataclass(slots=True)
class Measured:
    """Seconds, of the healthy vendor."""

    accepts_s: list[float] = field(default_factory=list)
    lags_s: list[float] = field(default_factory=list)
    unsent: int = 0
    worker_bytes: int = 0

    @property
    def good(self) -> bool:
        return not self.unsent and p99(self.lags_s) < LAG_S and p99(self.accepts_s) < ACCEPT_S

    def __str__(self) -> str:
        told = f"{len(self.lags_s)} events, {self.unsent} not sent, worker {self.worker_bytes / 2**20:.0f} MB"
        return f"accepted to received p99 {p99(self.lags_s):.3f} s, accepts p99 {p99(self.accepts_s):.3f} s; {told}"


def p99(seconds: Sequence[float]) -> float:
    return sorted(seconds)[int(len(seconds) * 0.99)] if seconds else float("inf")


class Hostile:
    """All that one vendor does to a deployment."""

    def __init__(self, deployment: Deployment, client: Client, silent: str) -> None:
        self._deployment, self._client, self._silent = deployment, client, silent

    async def begin(self) -> None:
        """Acts that are done once: everything that hangs."""
        hanging = [await self.integration(self._silent) for _ in range(HANGING)]
        names = [await self.integration(f"http://slow-{n}.example.com/") for n in range(SLOW_NAMES)]
        filtered = [await self.integration(self._silent, filter=WORST_FILTER)]
        await self._deployment.emit_many(hanging, OFFERED)
        await self._deployment.emit_many(names, 2 * SLOW_NAMES)
        await self._deployment.emit_many(filtered, 50)
        for n in range(LARGE):
            payload = {"x": [{"a": 1}] * 110_000}
            await self._deployment.queue.accept([event_of(hanging[n].id, PARTITIONS, f"large-{n}", payload=payload)])
        pings, now_ms = QueuedPings(open_jobs(self._deployment.redis, None)), int(time.time() * 1000)
        for one in hanging[:PINGS]:
            version, options = PingVersion.WORKING, PingOptions(timeout_s=300)
            await request_ping(self._deployment.definitions, pings, one.id, version, None, now_ms, options)

    @property
    def habits(self) -> list[Callable[[], Awaitable[object]]]:
        """Acts that are done again and again."""
        reads = [self._reading(path) for path in READS]
        return [*reads, *(self._asking(query) for query in QUERIES), self._emit_large]

    def _reading(self, path: str) -> Callable[[], Awaitable[object]]:
        return lambda: self._client.read(path)

    def _asking(self, query: str) -> Callable[[], Awaitable[object]]:
        return lambda: self._client.post("/graphql", {"query": query})

    async def _emit_large(self) -> None:
        await self._client.emit("large", f"large-{time.monotonic_ns()}", FILLER, product="hostile")
        await asyncio.sleep(EVERY_S)

    async def integration(self, url: str, **more: Any) -> Integration:
        return await self._deployment.integration({"upgradeUrl": url}, vendor_id="hostile", **more)


async def repeat(habit: Callable[[], Awaitable[object]]) -> None:
    """For ever, whatever comes of it."""
    while True:
        try:
            await habit()
        except Exception:
            await asyncio.sleep(EVERY_S)


async def measure(deployment: Deployment, client: Client, seconds: float) -> Measured:
    """Emit for the healthy vendor, and wait until all of it has arrived."""
    measured, accepted_s = Measured(), dict[str, float]()
    until_s = time.monotonic() + seconds
    while time.monotonic() < until_s:
        asked_s = time.monotonic()
        event_id = await client.emitted(f"A{len(accepted_s)}", f"well-{len(accepted_s)}")
        accepted_s[event_id] = time.monotonic()
        measured.accepts_s.append(accepted_s[event_id] - asked_s)
        await asyncio.sleep(EVERY_S)
    deadline_s = time.monotonic() + 60
    while len(deployment.host.requests) < len(accepted_s) and time.monotonic() < deadline_s:
        await asyncio.sleep(EVERY_S)
    arrived_s = {one.headers["webhook-id"]: one.arrived_s for one in deployment.host.requests}
    measured.lags_s = [max(0.0, arrived_s[one] - at_s) for one, at_s in accepted_s.items() if one in arrived_s]
    measured.unsent = sum(one not in arrived_s for one in accepted_s)
    return measured


async def run(seconds: float) -> Measured:
    """One run of so many seconds beside all that is hostile."""
    async with AsyncExitStack() as stack:
        host = await stack.enter_async_context(ProductHost())
        deployment = await stack.enter_async_context(deployed(host))
        silent = await stack.enter_async_context(RawServer(hang))
        well = await deployment.integration({"upgradeUrl": host.url()}, vendor_id="well")
        client = await stack.enter_async_context(client_of(deployment, well))
        worker = await deployment.worker(code=NAMES, REQUEST_TIMEOUT="300", DRAIN_TIMEOUT="0")
        hostile = Hostile(deployment, client, silent.url)
        await deployment.definitions.link("hostile", (await hostile.integration(silent.url)).id, 3)
        await hostile.begin()
        habits = [asyncio.create_task(repeat(habit)) for habit in hostile.habits]
        try:
            measured = await measure(deployment, client, seconds)
        finally:
            for habit in habits:
                habit.cancel()
            await asyncio.gather(*habits, return_exceptions=True)
        measured.worker_bytes = worker.rss_bytes
        return measured


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.hostile", description=__doc__)
    parser.add_argument("--minutes", type=float, default=0.2)
    measured = asyncio.run(run(parser.parse_args().minutes * 60))
    print(measured)
    sys.exit(not measured.good)


if __name__ == "__main__":
    main()
