"""A cluster: found by any of its nodes, and found again after all of them were away."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from dispatcher.embedded import EmbeddedServer, ServerOptions
from dispatcher.errors import StoreUnavailable
from dispatcher.store.health.meta import claim_meta, stored_partitions
from dispatcher.store.redis.connection import connect, connect_listener, guarded
from tests.ports import free_port
from tests.waiting import until

DEADLINE_S = 60.0


@pytest.fixture
async def node() -> AsyncIterator[EmbeddedServer]:
    """A cluster of one node that has every slot."""
    with tempfile.TemporaryDirectory(prefix="dc-", dir="/tmp") as name:
        options = ServerOptions(port=free_port(), cluster=True)
        async with EmbeddedServer.start(Path(name) / "data", options) as server:
            async with connect(server.url) as redis:
                await redis.cluster("ADDSLOTSRANGE", 0, 16383)
            yield server


@pytest.fixture
def url(node: EmbeddedServer) -> str:
    return f"redis+cluster://127.0.0.1:{node.options.port},127.0.0.1:1"


async def until_written(redis: Redis, key: str) -> None:
    async def written() -> bool:
        with guarded():
            return bool(await redis.set(key, "1"))

    await until(written, DEADLINE_S, despite=StoreUnavailable)


async def test_same_commands_work_on_a_cluster(cluster_url: str) -> None:
    async with connect(f"{cluster_url},127.0.0.1:1") as redis:
        await until_written(redis, "{p1}:k")
        await claim_meta(redis, 16)
        assert await stored_partitions(redis) == 16


async def test_news_of_a_cluster_is_heard_on_any_node(cluster_url: str) -> None:
    url = f"{cluster_url},127.0.0.1:1"
    async with connect(url) as redis, connect_listener(url) as listener, listener.pubsub() as subscription:
        await until_written(redis, "k")
        await subscription.subscribe("news")
        await subscription.get_message(timeout=5)
        await redis.execute_command("PUBLISH", "news", "now")  # type: ignore[no-untyped-call]
        message = await subscription.get_message(ignore_subscribe_messages=True, timeout=5)
    assert message is not None
    assert message["data"] == b"now"


async def test_client_comes_back_after_all_nodes_were_away(node: EmbeddedServer, url: str) -> None:
    """Symptom: "Please provide at least one reachable node: None" until the process was started again."""
    async with connect(url) as redis:
        await until_written(redis, "before")
        assert node.pid
        os.kill(node.pid, signal.SIGKILL)
        for _ in range(3):
            with pytest.raises(StoreUnavailable), guarded():
                await redis.get("before")
        await node.ensure_running()
        await until_written(redis, "after")
        assert await redis.get("before") == b"1"
