"""A master with a replica, and a sentinel that watches them. Holds no test."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from redis.asyncio import Redis

from dispatcher.embedded import EmbeddedServer, ServerOptions, server_binary
from dispatcher.errors import StoreUnavailable
from dispatcher.store.redis.connection import connect, guarded
from tests.ports import free_ports
from tests.programs import attended
from tests.waiting import until

DEADLINE_S = 60.0


@asynccontextmanager
async def sentinel(folder: Path, port: int, master: int) -> AsyncIterator[None]:
    config = folder / "sentinel.conf"
    config.write_text(
        f"port {port}\nbind 127.0.0.1\ndir {folder}\n"
        f"sentinel monitor main 127.0.0.1 {master} 1\n"
        "sentinel down-after-milliseconds main 500\nsentinel failover-timeout main 2000\n"
    )
    with attended([server_binary(), str(config), "--sentinel"]):
        yield


@asynccontextmanager
async def replicated() -> AsyncIterator[tuple[EmbeddedServer, str]]:
    """A master, a replica and a sentinel; the URL names the sentinel."""
    first = free_ports(3)
    second, third = first + 1, first + 2
    async with AsyncExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ds-", dir="/tmp")))
        options = ServerOptions(port=first, extra=("--repl-diskless-sync-delay", "0"))
        master = await stack.enter_async_context(EmbeddedServer.start(root / "m", options))
        follow = ("--replicaof", f"127.0.0.1 {first}")
        await stack.enter_async_context(EmbeddedServer.start(root / "r", ServerOptions(port=second, extra=follow)))
        async with connect(master.url) as redis:
            await until(lambda: redis.wait(1, 500), DEADLINE_S)
        await stack.enter_async_context(sentinel(root, third, first))
        yield master, f"redis+sentinel://127.0.0.1:1,127.0.0.1:{third}/main/0"


async def written(redis: Redis, key: str) -> bool:
    try:
        with guarded():
            return bool(await redis.set(key, "1"))
    except StoreUnavailable:
        return False


async def until_written(redis: Redis, key: str) -> None:
    await until(lambda: written(redis, key), DEADLINE_S)
