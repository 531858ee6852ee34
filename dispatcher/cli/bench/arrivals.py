"""Arrivals of a run's events: at a host of its own, or in the stream of an integration's changes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from dispatcher.cli.bench.sink_client import Sink
from dispatcher.cli.terminal.output import note
from dispatcher.client import Client
from dispatcher.client.following import Follower
from dispatcher.model.status import Status

Arrival = tuple[str, float]
"""An event's id, and when it came: on the clock of ``time.monotonic``."""


class Arrivals(Protocol):
    """``every``: each request is seen, so that one that comes twice is seen twice."""

    every: bool

    async def count(self) -> int: ...

    async def seen(self) -> list[Arrival]: ...


class HostArrivals:
    """Requests that a host of our own was sent."""

    every = True

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    async def count(self) -> int:
        return await self._sink.count()

    async def seen(self) -> list[Arrival]:
        return list(zip(await self._sink.ids(), await self._sink.times_s(), strict=False))


class ChangeArrivals:
    """Changes to SUCCEEDED, as the API tells them: for an integration whose host is another's."""

    every = False

    def __init__(self, follower: Follower) -> None:
        self._follower = follower
        self._seen: list[Arrival] = []

    async def count(self) -> int:
        return len(self._seen)

    async def seen(self) -> list[Arrival]:
        return list(self._seen)

    async def follow(self) -> None:
        async for change in self._follower.changes():
            self._seen.append((change["eventId"], time.monotonic()))


@asynccontextmanager
async def change_arrivals(client: Client, integration_id: str) -> AsyncIterator[ChangeArrivals]:
    """Of one integration, from now on."""
    follower = client.follow({"integrationId": integration_id, "status": Status.SUCCEEDED.value}, note)
    arrivals = ChangeArrivals(follower)
    task = asyncio.create_task(arrivals.follow())
    try:
        opened = asyncio.create_task(follower.opened.wait())
        await asyncio.wait({task, opened}, return_when=asyncio.FIRST_COMPLETED)
        opened.cancel()
        if task.done():
            await task
        yield arrivals
    finally:
        task.cancel()
        await asyncio.wait([task])
