"""Redis's files damaged, cut and without room: what was answered survives, and what cannot be kept is not answered."""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from dispatcher.embedded import EmbeddedServer, check_command
from dispatcher.errors import ConfigurationError
from dispatcher.store.redis.connection import connect
from tests.conftest import server_binary
from tests.faults.client import Client, client_of
from tests.faults.deployment import Deployment, eventually
from tests.faults.filler import filler
from tests.faults.processes import under_limit
from tests.hosts import Reply
from tests.programs import completed

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

CUT_BYTES = 30
GARBAGE_BYTES = 40
ROOM_BYTES = 64 * 1024
FILLER = filler(2600)


@pytest.fixture
def folder() -> Iterator[Path]:
    """Short enough for a socket's path."""
    with tempfile.TemporaryDirectory(prefix="de-", dir="/tmp") as name:
        yield Path(name) / "data"


async def test_ft23_a_cut_tail_of_the_append_only_file_costs_the_last_write_only(deployment: Deployment) -> None:
    integration = await deployment.integration()
    ids = [await deployment.emit(integration, str(n)) for n in range(20)]
    deployment.server.kill()
    with deployment.server.last_append_only_file.open("r+b") as file:
        file.truncate(os.fstat(file.fileno()).st_size - CUT_BYTES)
    deployment.server.start()
    await eventually(deployment.queue.take_writes)
    assert "Truncating the AOF" in deployment.server.log
    stored = [event_id for event_id in ids if await deployment.queue.get(event_id)]
    assert stored == ids[:-1]
    await deployment.assert_well()
    async with client_of(deployment, integration) as client:
        await deployment.worker()
        await deployment.all_succeed([*stored, await client.emitted("B", "after")])
    await deployment.assert_well()


async def test_ft23_the_embedded_server_mends_a_cut_tail_by_itself(folder: Path) -> None:
    log = await _written(folder)
    with log.open("r+b") as file:
        file.truncate(log.stat().st_size - CUT_BYTES)
    async with EmbeddedServer.start(folder) as server, connect(server.url) as redis:
        assert await redis.dbsize() == 99


async def test_ft24_damage_in_the_middle_is_refused_and_mended_as_the_runbook_says(folder: Path) -> None:
    log = await _written(folder)
    content = bytearray(log.read_bytes())
    middle = len(content) // 2
    content[middle : middle + GARBAGE_BYTES] = b"\x00" * GARBAGE_BYTES
    log.write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        async with EmbeddedServer.start(folder):
            pass
    for told in (f"{log} is damaged", "--fix", "docs/operations.md"):
        assert told in str(caught.value)
    assert log.read_bytes() == content, "the server changed what it could not read"
    shutil.copytree(folder / "appendonlydir", folder / "copy")
    command = check_command(server_binary(), log)
    assert command in str(caught.value)
    mending = completed(("sh", "-c", command), stdin=b"y\n")
    assert mending.status == 0, mending.said
    async with EmbeddedServer.start(folder) as server, connect(server.url) as redis:
        left = await redis.dbsize()
        assert 40 <= left <= 60, "what was written before the damage is there"
        assert await redis.get("k0") == b"v" * 50


async def _written(folder: Path) -> Path:
    """A hundred answered writes; returns the file that they are in."""
    async with EmbeddedServer.start(folder) as server, connect(server.url) as redis:
        for n in range(100):
            await redis.set(f"k{n}", "v" * 50)
    return next((folder / "appendonlydir").glob("*.incr.aof"))


@pytest.mark.parametrize("fsync", ["always", "everysec"])
async def test_ft25_nothing_is_accepted_while_the_disk_is_full(deployment: Deployment, fsync: str) -> None:
    """`always`: the server ends itself and is started when there is room; `everysec`: it refuses writes until then."""
    deployment.host.default = Reply(delay_s=0.01)
    server, integration = deployment.server, await deployment.integration()
    server.stop()
    server.under, server.options = under_limit("-f unlimited"), ("--appendfsync", fsync)
    server.start()
    await eventually(deployment.queue.take_writes)
    async with client_of(deployment, integration) as client:
        worker = await deployment.worker()
        room_bytes = server.last_append_only_file.stat().st_size + ROOM_BYTES
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (room_bytes, resource.RLIM_INFINITY))
        accepted = await _until_refused(client)
        assert await _refused(client, "first") == await _refused(client, "second") == 503
        if fsync == "always":
            await server.ended()
            server.start()
        else:
            unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
            resource.prlimit(server.pid, resource.RLIMIT_FSIZE, unlimited)
        again = [await client.emitted("A", key) for key in ("first", "second")]
        await deployment.all_succeed([*accepted, *again], within_s=30)
        assert worker.alive
        assert client.program.alive
    await deployment.assert_well()


async def _until_refused(client: Client) -> list[str]:
    """Every event that was answered 202 before there was no room."""
    accepted: list[str] = []
    async with asyncio.timeout(30):
        while True:
            status, _, body = await client.emit(f"A{len(accepted)}", f"key-{len(accepted)}", FILLER)
            if status != 202:
                assert status == 503
                return accepted
            accepted.append(body["id"])


async def _refused(client: Client, key: str) -> int:
    return (await client.emit("A", key))[0]
