"""Open-loop arrivals: events are accepted at random moments that do not wait for earlier ones (a Poisson process).

``python -m bench.rig.arrivals`` with a JSON task on standard input: redis_url, rate_per_s, seconds, integrations.
Answers for each event when it was due, and when its receipt was there.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from typing import Any

import orjson
import uvloop

from bench.plan import ACCOUNTS_PER_INTEGRATION
from bench.rig.traffic import events
from dispatcher.flow.events.making.accept import Acceptor
from dispatcher.model.event import Event
from dispatcher.settings import Settings
from dispatcher.store.queue.events import QueueStore
from dispatcher.store.redis.connection import connect

SEED = 7


async def emit(acceptor: Acceptor, planned: list[tuple[float, Event]]) -> dict[str, list[float]]:
    """By event id: seconds on the monotonic clock when it was due to be accepted, and when it was."""
    seen: dict[str, list[float]] = {}
    running: set[asyncio.Task[None]] = set()

    async def accept(due_s: float, event: Event) -> None:
        await acceptor.accept(event)
        seen[event.id] = [due_s, time.monotonic()]

    for due_s, event in planned:
        wait_s = due_s - time.monotonic()
        if wait_s > 0:
            await asyncio.sleep(wait_s)
        task = asyncio.create_task(accept(due_s, event))
        running.add(task)
        task.add_done_callback(running.discard)
    await asyncio.gather(*running)
    return seen


def moments(rate_per_s: float, seconds: float) -> list[float]:
    """Offsets in seconds; the same ones in every run."""
    chance = random.Random(SEED)
    found: list[float] = []
    at_s = chance.expovariate(rate_per_s)
    while at_s < seconds:
        found.append(at_s)
        at_s += chance.expovariate(rate_per_s)
    return found


async def main() -> None:
    task: dict[str, Any] = orjson.loads(sys.stdin.buffer.read())
    partitions: int = Settings.model_fields["partitions"].default
    async with connect(task["redis_url"]) as redis:
        queue = QueueStore(redis, partitions=partitions, retention_ms=86_400_000)
        await queue.take_writes()
        offsets = moments(task["rate_per_s"], task["seconds"])
        integrations = task["integrations"]
        new = list(events(queue, len(offsets), integrations, integrations * ACCOUNTS_PER_INTEGRATION))
        begin_s = time.monotonic() + 0.1
        planned = [(begin_s + offset, event) for offset, event in zip(offsets, new, strict=True)]
        async with Acceptor(queue) as acceptor:
            print(orjson.dumps(await emit(acceptor, planned)).decode())


if __name__ == "__main__":
    uvloop.run(main())
