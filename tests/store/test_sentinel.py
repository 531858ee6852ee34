"""Behind Sentinel: the client finds the master, and finds the new one after a fail-over."""

from __future__ import annotations

import pytest

from dispatcher.embedded import EmbeddedServer
from dispatcher.store.redis.connection import connect
from tests.store.behind_sentinel import DEADLINE_S, replicated, until_written, written
from tests.waiting import until


async def until_replicated(master: EmbeddedServer, url: str) -> None:
    """The sentinel can only promote a replica that it has heard of; it asks at its start, then every ten seconds."""
    port = int(url.rpartition(":")[2].partition("/")[0])
    async with connect(master.url) as redis, connect(f"redis://127.0.0.1:{port}") as watcher:
        await until(lambda: watcher.sentinel_slaves("main"), DEADLINE_S)  # type: ignore[no-untyped-call]
        await until(lambda: redis.wait(1, 500), DEADLINE_S)


@pytest.mark.slow
async def test_ft20_client_follows_the_master_through_a_failover() -> None:
    async with replicated() as (master, url), connect(url) as redis:
        await until_written(redis, "before")
        await until_replicated(master, url)
        await master.leave(stop_within_s=5)
        await until_written(redis, "after")
        assert await redis.mget("before", "after") == [b"1", b"1"]


async def test_absent_sentinel_is_unavailable() -> None:
    async with connect("redis+sentinel://127.0.0.1:1/main") as redis:
        assert not await written(redis, "k")
