"""A process that stands still, or runs out of file descriptors or memory: it sheds, is replaced, and loses nothing."""

from __future__ import annotations

import asyncio
import re
import resource
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest

from tests.faults.client import client_of
from tests.faults.deployment import FULL, LEASE_S, Deployment
from tests.faults.processes import Watched, under_limit
from tests.hosts import Reply
from tests.ports import free_port
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

BLOCKED_S = 10.0 if FULL else 2 * LEASE_S
BLOCKS = f"""
import asyncio, time
from contextlib import contextmanager
from dispatcher.cli.processes import startup

stopping = startup.stop_on_signals

async def block():
    time.sleep({BLOCKED_S})

@contextmanager
def stop_on_signals():
    loop = asyncio.get_running_loop()
    loop.add_signal_handler({signal.SIGUSR1:d}, lambda: loop.create_task(block()))
    with stopping() as stop:
        yield stop

startup.stop_on_signals = stop_on_signals
from dispatcher.cli.main import main
main()
"""
"""``dispatcher`` with a fault: on SIGUSR1 a task of it blocks the event loop."""

FEW_FILES = under_limit("-n 64")
CROWD = 150
CROWDED_S = 20.0 if FULL else 1.5
LINES_PER_S = 20
ROOM_BYTES = 12 * 2**20


async def test_ft37_a_worker_whose_loop_is_blocked_is_told_of_and_changes_nothing_late(deployment: Deployment) -> None:
    deployment.host.replies.append(Reply(delay_s=LEASE_S))  # its answer waits until the loop goes on
    integration, port = await deployment.integration(), free_port()
    blocked = await deployment.worker(code=BLOCKS, METRICS_PORT=str(port))
    event_id = await deployment.emit(integration)
    await deployment.host.wait_for(1)
    blocked.signal(signal.SIGUSR1)
    other = await deployment.worker()
    await deployment.all_succeed([event_id])
    before = await deployment.queue.get(event_id)
    stalled_s = float(await blocked.heard(r'"event loop stood still".*"stalled_s":([\d.]+)'))
    assert BLOCKED_S - 0.5 < stalled_s < BLOCKED_S + 5
    await asyncio.sleep(1)
    assert await deployment.queue.get(event_id) == before
    assert deployment.arrivals() == {event_id: 2}
    assert await _lag_s(f"http://127.0.0.1:{port}") > BLOCKED_S - 0.5
    other.kill()
    await deployment.all_succeed([await deployment.emit(integration)], within_s=LEASE_S + 6)
    await deployment.assert_well()


async def test_ft37_an_api_whose_loop_is_blocked_is_told_of_and_accepts_once(deployment: Deployment) -> None:
    integration = await deployment.integration()
    await deployment.worker()
    async with client_of(deployment, integration, code=BLOCKS) as client:
        client.program.signal(signal.SIGUSR1)
        event_id = await client.emitted("A", "one", within_s=BLOCKED_S + 10)
        assert await client.emitted("A", "one") == event_id
        await client.program.heard(r'"event loop stood still".*"process":"(api)"')
        assert await _lag_s(client.address) > BLOCKED_S - 0.5
    await deployment.all_succeed([event_id])
    assert deployment.arrivals() == {event_id: 1}


async def _lag_s(address: str) -> float:
    async with aiohttp.ClientSession() as session, session.get(f"{address}/metrics") as answer:
        found = re.search(r"^dispatcher_event_loop_lag_seconds ([\d.e+-]+)", await answer.text(), re.MULTILINE)
    assert found
    return float(found[1])


async def test_ft38_an_api_without_file_descriptors_sheds_and_recovers(deployment: Deployment) -> None:
    integration = await deployment.integration()
    await deployment.worker()
    async with client_of(deployment, integration, under=FEW_FILES) as client:
        before = await client.emitted("A", "before")
        async with _busy(client.program), _crowd(client.address):
            answers = [(await client.emit(f"A{n}", f"key-{n}"))[0] for n in range(20)]
            assert set(answers) <= {202, 503, 0}
            await asyncio.sleep(CROWDED_S)
        after = [await client.emitted(f"A{n}", f"key-{n}", within_s=10) for n in range(20)]
        await deployment.all_succeed([before, *after])
    await deployment.assert_well()


async def test_ft38_a_worker_without_file_descriptors_charges_no_event_for_it(deployment: Deployment) -> None:
    deployment.host.default = Reply(delay_s=0.3)
    integrations = [await deployment.integration() for _ in range(4)]
    worker = await deployment.worker(under=FEW_FILES)
    async with _busy(worker):
        ids = await deployment.emit_many(integrations, 400)
        await deployment.all_succeed(ids, within_s=40)
    assert set(deployment.arrivals().values()) == {1}
    assert {attempt.outcome.value for attempt in await deployment.attempts(ids)} == {"OK"}
    await deployment.assert_well()


@asynccontextmanager
async def _busy(program: Watched) -> AsyncIterator[None]:
    """The program lives through what happens inside, and neither spins nor fills its log."""
    began_s, cpu_s, lines = time.monotonic(), program.cpu_s, program.lines
    yield
    passed_s = time.monotonic() - began_s
    assert program.alive, program.said()
    assert program.cpu_s - cpu_s < 0.6 * passed_s, "it spins"
    assert program.lines - lines <= LINES_PER_S * (passed_s + 1)


@asynccontextmanager
async def _crowd(address: str) -> AsyncIterator[None]:
    """More open connections than the process has room for."""
    where = urlsplit(address)
    writers = [(await asyncio.open_connection(where.hostname, where.port))[1] for _ in range(CROWD)]
    try:
        yield
    finally:
        for writer in writers:
            writer.close()


async def test_ft39_a_worker_without_memory_loses_nothing(deployment: Deployment) -> None:
    deployment.host.default = Reply(delay_s=0.2, body=b"x" * 65_000)
    integrations = [await deployment.integration(schedule_s=(0.05,) * 20) for _ in range(8)]
    doomed = await deployment.worker()
    await deployment.all_succeed([await deployment.emit(integrations[0])])
    allowed_bytes = _virtual_bytes(doomed) + ROOM_BYTES
    resource.prlimit(doomed.pid, resource.RLIMIT_AS, (allowed_bytes, allowed_bytes))
    ids = await deployment.emit_many(integrations, 600)
    await until(lambda: not doomed.alive or "MemoryError" in doomed.said(), tell=doomed.said)
    await deployment.worker()
    await asyncio.sleep(1)
    doomed.kill()
    await deployment.all_succeed(ids, within_s=LEASE_S + 30)
    await deployment.assert_well()


def _virtual_bytes(program: Watched) -> int:
    return int(Path(f"/proc/{program.pid}/statm").read_text().split()[0]) * resource.getpagesize()
