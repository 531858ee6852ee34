"""Redis that is killed, frozen, emptied of what it may lose, and edited by hand."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time

import pytest
from redis.exceptions import RedisError

from dispatcher.errors import StoreUnavailable
from dispatcher.store.keys import deployment as keys
from dispatcher.store.redis.connection import connect, guarded
from tests.faults.client import Client, client_of
from tests.faults.deployment import FULL, IMPATIENT, LEASE_S, SOCKET_TIMEOUT_S, Deployment, eventually
from tests.faults.processes import Watched
from tests.hosts import Reply
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

FROZEN_S = 30.0 if FULL else 3.0
ASLEEP_S = 20
LOADED_KEYS = 4000
LOADING_S = 20.0 if FULL else 3.0
LINES_PER_S = 20


async def test_ft8_redis_killed_and_started_again_under_load(deployment: Deployment) -> None:
    deployment.host.default = Reply(delay_s=0.02)
    integrations = [await deployment.integration() for _ in range(8)]
    workers = [await deployment.worker(), await deployment.worker()]
    before = await deployment.emit_many(integrations, 400, accounts=40)
    emitting = asyncio.create_task(deployment.emit_many(integrations, 400, accounts=40))
    await asyncio.sleep(0.3)
    deployment.server.kill()
    await asyncio.sleep(0.5)
    deployment.server.start()
    back_s = time.monotonic()
    ids = before + await emitting
    await deployment.host.wait_for(len(deployment.host.requests) + 1)
    assert time.monotonic() - back_s < 20 or not FULL
    await deployment.all_succeed(ids, within_s=30)
    assert all(worker.alive and worker.said().count("worker started") == 1 for worker in workers)
    assert set(deployment.arrivals()) == set(ids)
    await deployment.assert_well()


async def test_ft10_redis_frozen_is_told_of_and_survived(deployment: Deployment) -> None:
    integration = await deployment.integration()
    worker = await deployment.worker(code=IMPATIENT)
    async with client_of(deployment, integration, code=IMPATIENT) as client:
        deployment.server.signal(signal.SIGSTOP)
        began = time.monotonic()
        status, headers, _ = await client.emit("A", key="one")
        assert (status, headers.get("Retry-After")) == (503, "1")
        assert SOCKET_TIMEOUT_S <= time.monotonic() - began < SOCKET_TIMEOUT_S + 10
        await asyncio.sleep(max(0.0, FROZEN_S - (time.monotonic() - began)))
        deployment.server.signal(signal.SIGCONT)
        event_id = await client.emitted("A", key="one")
        await deployment.all_succeed([event_id], within_s=10)
    assert worker.alive
    assert deployment.arrivals() == {event_id: 1}
    await deployment.assert_well()


@pytest.mark.parametrize("how", ["loading", "asleep"] if FULL else ["loading"])
async def test_ft19_redis_that_is_there_and_does_not_answer_yet(deployment: Deployment, how: str) -> None:
    deployment.host.default = Reply(delay_s=0.02)
    integration, server = await deployment.integration(), deployment.server
    server.options = ("--enable-debug-command", "yes")
    await _restarted(deployment)
    worker = await deployment.worker()
    async with client_of(deployment, integration) as client:
        before = [await client.emitted(f"A{n}", f"before-{n}") for n in range(10)]
        began_s, lines = time.monotonic(), {program: program.lines for program in (worker, client.program)}
        sleeping = asyncio.create_task(_sleep(deployment)) if how == "asleep" else None
        await (asyncio.sleep(0.5) if sleeping else _begin_to_load(deployment))
        (status, headers, body), ready = await asyncio.gather(client.emit("B", "during"), client.status("/readyz"))
        assert (status, headers.get("Retry-After"), body["errors"][0]["code"]) == (503, "1", "unknown_outcome")
        assert ready == 503
        during = await client.emitted("B", "during", within_s=60)
        passed_s = time.monotonic() - began_s
        assert passed_s > (ASLEEP_S if sleeping else LOADING_S) - 1, "it answered at once"
        await deployment.all_succeed([*before, during], within_s=15)
        assert all(program.lines - lines[program] <= LINES_PER_S * passed_s for program in lines)
        assert all(program.alive and not _broken(program) for program in (worker, client.program))
    await eventually(deployment.assert_well)
    if sleeping:
        await sleeping


async def _restarted(deployment: Deployment) -> None:
    deployment.server.stop()
    deployment.server.start()
    await eventually(deployment.queue.take_writes)


async def _sleep(deployment: Deployment) -> None:
    async with connect(deployment.server.url) as redis:
        with contextlib.suppress(RedisError):
            await redis.execute_command("DEBUG", "SLEEP", ASLEEP_S)  # type: ignore[no-untyped-call]


async def _begin_to_load(deployment: Deployment) -> None:
    """Killed and started again with so much to load that it says LOADING for a while."""
    redis, server = deployment.redis, deployment.server
    await redis.mset({f"filler:{n}": "v" for n in range(LOADED_KEYS)})
    await redis.bgrewriteaof()  # type: ignore[no-untyped-call]
    await until(lambda: _aof_written(deployment))
    server.kill()
    delay_us = int(LOADING_S / LOADED_KEYS * 1e6)
    server.options = ("--key-load-delay", str(delay_us), "--loading-process-events-interval-bytes", "1024")
    server.start(wait=False)

    async def loading() -> bool:
        said = await _ping(deployment)
        assert said, "it has loaded already"
        return "loading" in said

    await until(loading)


async def _aof_written(deployment: Deployment) -> bool:
    return not (await deployment.redis.info("persistence"))["aof_rewrite_in_progress"]


async def _ping(deployment: Deployment) -> str:
    """The problem, if there is one."""
    try:
        await deployment.queue.take_writes()
    except StoreUnavailable as error:
        return str(error)
    return ""


def _broken(program: Watched) -> bool:
    return any(word in program.said() for word in ("Traceback", "broke off"))


async def test_ft11_every_connection_killed_again_and_again(deployment: Deployment) -> None:
    deployment.host.default = Reply(delay_s=0.02)
    integration = await deployment.integration()
    workers = [await deployment.worker(), await deployment.worker()]
    ids = await deployment.emit_many([integration], 600, accounts=60)
    for _ in range(15):
        for kind in ("normal", "pubsub"):
            await eventually(lambda kind=kind: _kill_clients(deployment, kind))  # type: ignore[misc]
        await asyncio.sleep(0.1)
    await deployment.all_succeed(ids, within_s=30)
    assert set(deployment.arrivals()) == set(ids)
    for worker in workers:
        assert worker.errors() == []
        assert worker.alive
    await deployment.assert_well()


async def _kill_clients(deployment: Deployment, kind: str) -> None:
    with guarded():
        await deployment.redis.client_kill_filter(_type=kind, skipme=True)


async def test_ft26_every_key_of_arq_deleted(deployment: Deployment) -> None:
    deployment.host.default = Reply(delay_s=0.02)
    integrations = [await deployment.integration() for _ in range(8)]
    first = await deployment.worker()
    ids = await deployment.emit_many(integrations, 300, accounts=30)
    await _delete_arq(deployment)
    await deployment.worker()
    first.kill()
    for _ in range(10):
        await _delete_arq(deployment)
        await asyncio.sleep(0.2)
    await deployment.all_succeed(ids, within_s=LEASE_S + 15)
    await deployment.assert_well()


async def _delete_arq(deployment: Deployment) -> None:
    await deployment.redis.delete(keys.JOBS)
    async for name in deployment.redis.scan_iter("arq:*"):
        await deployment.redis.delete(name)


async def test_ft27_scripts_flushed_under_load(deployment: Deployment) -> None:
    deployment.host.default = Reply(delay_s=0.02)
    integration = await deployment.integration()
    worker = await deployment.worker()
    ids: list[str] = []
    for _ in range(20):
        ids += await deployment.emit_many([integration], 20)
        await deployment.redis.script_flush()
        await deployment.redis.function_flush("SYNC")  # type: ignore[misc]
        await asyncio.sleep(0.05)
    await deployment.all_succeed(ids)
    assert set(deployment.arrivals().values()) == {1}
    assert worker.errors() == []
    await deployment.assert_well()


async def test_e24_queue_keys_deleted_by_hand_are_repaired_and_counted(deployment: Deployment) -> None:
    integration = await deployment.integration()
    await deployment.queue.pause(integration.id)
    ids = [await deployment.emit(integration, account) for account in "AABBC"]
    prefix = f"{{p{deployment.queue.partition_of(integration.id)}}}:"
    lane = integration.id
    gone = [f"{prefix}{name}" for name in ("lanes", "open", f"d:{lane}", f"k:{lane}:A", f"k:{lane}:B", f"k:{lane}:C")]
    assert await deployment.redis.delete(*gone) == len(gone)
    await _delete_arq(deployment)
    assert not (await deployment.store.recount()).well
    await deployment.worker()
    await asyncio.sleep(3)
    await deployment.queue.resume(lane)
    await deployment.all_succeed(ids, within_s=10)
    counted = await deployment.queue.counters()
    assert counted["repairs:event"] == 5
    assert deployment.arrivals() == dict.fromkeys(ids, 1)
    first, second = (deployment.sent_order().index(ids[i]) for i in (0, 1))
    assert first < second
    await deployment.assert_well()


async def test_e25_redis_outage_is_told_and_survived(deployment: Deployment) -> None:
    integration = await deployment.integration()
    worker = await deployment.worker()
    async with client_of(deployment, integration) as client:
        before = [await client.emitted(f"A{i}", key=f"before-{i}") for i in range(20)]
        deployment.server.kill()
        await _asserts_outage(client)
        cpu_s, lines = worker.cpu_s, worker.said().count("\n")
        await asyncio.sleep(2)
        assert worker.cpu_s - cpu_s < 0.4, "busy while Redis is away"
        assert worker.said().count("\n") - lines < 40
        deployment.server.start()
        back_s = time.monotonic()
        during = await client.emitted("B", key="during")
        await deployment.all_succeed([*before, during], within_s=20)
        assert time.monotonic() - back_s < 20 or not FULL
        assert await client.status("/readyz") == 200
    assert worker.alive
    assert worker.said().count("worker started") == 1
    assert worker.errors() == []
    await eventually(deployment.assert_well)


async def _asserts_outage(client: Client) -> None:
    status, headers, body = await client.emit("B", key="during")
    assert (status, headers.get("Retry-After"), body["errors"][0]["code"]) == (503, "1", "unknown_outcome")
    assert await client.status("/readyz") == 503
    assert await client.status("/healthz") == 200


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "frozen"])
async def test_a_worker_and_an_api_stop_while_redis_is_away(deployment: Deployment, how: signal.Signals) -> None:
    integration = await deployment.integration()
    worker = await deployment.worker(code=IMPATIENT)
    api, _ = await deployment.api(code=IMPATIENT)
    await deployment.all_succeed([await deployment.emit(integration)])
    deployment.server.signal(how)
    await asyncio.sleep(0.5)
    for program in (worker, api):
        program.signal(signal.SIGTERM)
    assert [await program.ended(within_s=30) for program in (worker, api)] == [0, 0]
    assert worker.errors() == api.errors() == []
