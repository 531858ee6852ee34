"""One number says for everybody how long a silent worker counts as alive; a silent one is shown for a while yet."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from redis.asyncio import Redis

from dispatcher.model.queue import WORKER_ALIVE_MS, WORKER_FORGOTTEN_MS
from dispatcher.store.health.doctor.examination import examine
from dispatcher.store.health.doctor.findings import Level
from dispatcher.store.health.workers.heartbeats import Heartbeats
from dispatcher.store.keys import deployment as keys
from dispatcher.store.queue.events import QueueStore
from dispatcher.store.secrets.sealing import new_key

Asked = Callable[[Redis], Awaitable[bool]]
MARGIN_MS = 2_000


async def by_the_fleet(redis: Redis) -> bool:
    return len((await Heartbeats(redis).look("newcomer")).alive) == 2


async def by_the_overview(redis: Redis) -> bool:
    return bool((await QueueStore(redis, partitions=2, retention_ms=1000).overview()).workers)


async def by_the_doctor(redis: Redis) -> bool:
    checks = {check.name: check for check in await examine(redis, 2, [new_key()])}
    return checks["workers"].level is Level.OK


async def round_trips(redis: Redis, queue: QueueStore) -> int:
    """Bytes that the server reads from its clients for one overview, besides this question."""
    before = (await redis.info("stats"))["total_reads_processed"]
    await queue.overview()
    return int((await redis.info("stats"))["total_reads_processed"] - before)


async def heard_of(redis: Redis, worker_id: str, ago_ms: int) -> None:
    await Heartbeats(redis).tell(worker_id, b'{"host":"h","pid":7,"partitions":[1],"inFlight":3}')
    seconds, _ = await redis.time()
    await redis.zadd(keys.WORKERS, {worker_id: seconds * 1000 - ago_ms})


@pytest.mark.parametrize("asked", [by_the_fleet, by_the_overview, by_the_doctor])
@pytest.mark.parametrize(
    ("ago_ms", "alive"), [(WORKER_ALIVE_MS - MARGIN_MS, True), (WORKER_ALIVE_MS + MARGIN_MS, False)]
)
async def test_a_silent_worker_is_dead_for_whoever_asks_at_the_same_age(
    redis: Redis, asked: Asked, ago_ms: int, alive: bool
) -> None:
    await heard_of(redis, "w", ago_ms)
    assert await asked(redis) is alive


async def test_a_silent_worker_is_shown_with_what_is_known_of_it_until_it_is_forgotten(redis: Redis) -> None:
    await heard_of(redis, "silent", WORKER_ALIVE_MS + MARGIN_MS)
    await heard_of(redis, "forgotten", WORKER_FORGOTTEN_MS + MARGIN_MS)
    await heard_of(redis, "stopped", 0)
    await Heartbeats(redis).leave("stopped")
    overview = await QueueStore(redis, partitions=2, retention_ms=1000).overview()
    assert overview.workers == []
    (silent,) = overview.silent_workers
    assert (silent.worker_id, silent.host, silent.pid, silent.partitions, silent.in_flight) == (
        "silent",
        "h",
        7,
        (1,),
        3,
    )


async def test_many_workers_cost_the_overview_as_many_round_trips_as_one(redis: Redis) -> None:
    queue = QueueStore(redis, partitions=2, retention_ms=1000)
    await heard_of(redis, "w0", 0)
    alone = await round_trips(redis, queue)
    for n in range(1, 20):
        await heard_of(redis, f"w{n}", 0)
    assert len((await queue.overview()).workers) == 20
    assert await round_trips(redis, queue) == alone
