"""Servers that answer in words of their own: every binary of this machine, and a cluster."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis as redis_sync
from redis.asyncio import Redis

from dispatcher.store.redis.connection import connect
from tests.conftest import VOLATILE, server_binary, wait_until_ready
from tests.ports import free_port
from tests.programs import attended
from tests.store.cluster_nodes import own_every_slot
from tests.store.desk import Desk
from tests.store.runs import Runs


def servers() -> list[str]:
    """Every server binary of this machine, each once."""
    found = [server_binary(), *(path for name in ("redis-server", "valkey-server") if (path := shutil.which(name)))]
    return list({str(Path(path).resolve()): path for path in found}.values())


@contextmanager
def running(binary: str, *options: str) -> Iterator[Path]:
    """The socket of a volatile server."""
    with tempfile.TemporaryDirectory(prefix="ds-", dir="/tmp") as folder:
        socket = Path(folder) / "s"
        where = ("--unixsocket", str(socket), "--dir", folder, "--logfile", f"{folder}/log")
        with attended([binary, *where, *VOLATILE, *options]):
            with redis_sync.Redis(unix_socket_path=str(socket)) as client:
                wait_until_ready(client)
            yield socket


@pytest.fixture(scope="module", params=servers(), ids=lambda path: Path(path).name)
def server_url(request: pytest.FixtureRequest) -> Iterator[str]:
    with running(request.param) as socket:
        yield f"unix://{socket}"


@pytest.fixture(scope="session")
def cluster_socket() -> Iterator[tuple[Path, int]]:
    """A cluster of one node that has every slot, for this test process: its socket and its port."""
    port = free_port()
    with running(server_binary(), "--port", str(port), "--bind", "127.0.0.1", "--cluster-enabled", "yes") as socket:
        with redis_sync.Redis(unix_socket_path=str(socket)) as node:
            own_every_slot(node)
        yield socket, port


@pytest.fixture
def cluster_url(cluster_socket: tuple[Path, int]) -> str:
    """URL of a cluster without data or scripts, for this test alone."""
    socket, port = cluster_socket
    with redis_sync.Redis(unix_socket_path=str(socket)) as node:
        node.flushall()
        node.script_flush()
        node.function_flush("SYNC")
    return f"redis+cluster://127.0.0.1:{port}"


@pytest.fixture
async def cluster(cluster_url: str) -> AsyncIterator[Redis]:
    async with connect(cluster_url) as client:
        yield client


@pytest.fixture
async def runs(redis: Redis) -> Runs:
    """Of up to four events."""
    return Runs(await Desk(redis, run=4).open())
