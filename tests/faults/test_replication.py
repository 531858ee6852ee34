"""A master with a replica: what is answered while they part, and what is left when the replica takes over."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator

import orjson
import pytest

from tests.faults.client import Client, client_of
from tests.faults.deployment import FULL, Deployment, in_time
from tests.faults.replication import Pair, replicated
from tests.waiting import until

pytestmark = pytest.mark.slow

LOAD_S = 20.0 if FULL else 0.0


@pytest.fixture
async def pair(deployment: Deployment) -> AsyncIterator[Pair]:
    async with replicated(deployment) as made:
        yield made


async def _no_good_replica(deployment: Deployment) -> bool:
    return not (await deployment.redis.info("replication"))["min_slaves_good_slaves"]


async def assert_unknown(client: Client, key: str) -> None:
    began_s = time.monotonic()
    status, headers, body = await client.emit("A", key=key)
    assert (status, headers["Retry-After"], body["errors"][0]["code"]) == (503, "1", "unknown_outcome")
    assert time.monotonic() - began_s < 20 or not FULL


async def test_ft22_a_master_that_misses_its_replica_accepts_nothing(deployment: Deployment, pair: Pair) -> None:
    worker = await deployment.worker()
    async with client_of(deployment, await deployment.integration()) as client:
        before = await client.emitted("A", key="before")
        await deployment.redis.config_set("min-replicas-max-lag", 1)
        await deployment.redis.config_set("min-replicas-to-write", 1)
        pair.replica.signal(signal.SIGSTOP)
        await until(lambda: _no_good_replica(deployment))
        await assert_unknown(client, "during")
        await assert_unknown(client, "during")
        pair.replica.signal(signal.SIGCONT)
        during = await client.emitted("A", key="during")
        await deployment.all_succeed([before, during])
    assert worker.alive
    assert set(deployment.arrivals()) == {before, during}
    await deployment.assert_well()


async def test_ft22_bi50_strict_accepts_nothing_that_no_replica_has(deployment: Deployment, pair: Pair) -> None:
    worker = await deployment.worker()
    async with client_of(deployment, await deployment.integration(), MIN_REPLICAS="1") as client:
        before = await client.emitted("A", key="before")
        pair.replica.signal(signal.SIGSTOP)
        await assert_unknown(client, "during")
        await assert_unknown(client, "during")
        status, _, body = await client.post("/v1/events/batch", [{"type": "upgrade", "productId": "P"}])
        assert (status, body["errors"][0]["code"]) == (503, "unknown_outcome")
        pair.replica.signal(signal.SIGCONT)
        during = await client.emitted("A", key="during")
        assert await client.emitted("A", key="during") == during
        await deployment.all_succeed([before, during])
    assert worker.errors() == []
    assert {deployment.arrivals()[event_id] for event_id in (before, during)} == {1}
    await deployment.assert_well()


async def test_ft21_strict_never_accepted_what_a_cut_off_replica_misses(deployment: Deployment, pair: Pair) -> None:
    await deployment.worker(pair.front.url)
    async with client_of(deployment, await deployment.integration(), pair.front.url, MIN_REPLICAS="1") as client:
        accepted = [await client.emitted("A", key=f"before-{i}") for i in range(5)]
        await deployment.all_succeed(accepted)
        pair.cut()
        for i in range(2):
            await assert_unknown(client, f"cut-off-{i}")
        await pair.fail_over()
        await assert_unknown(client, "cut-off-0")
        pair.restore_key()
        accepted += [await client.emitted("A", key=f"cut-off-{i}") for i in range(2)]
        await deployment.all_succeed(accepted)
    await deployment.assert_well()


async def test_ft21_without_strict_the_loss_is_told(deployment: Deployment, pair: Pair) -> None:
    worker = await deployment.worker(pair.front.url)
    async with client_of(deployment, await deployment.integration(), pair.front.url) as client:
        kept = [await client.emitted("A", key=f"before-{i}") for i in range(5)]
        await deployment.all_succeed(kept)
        await deployment.signed()
        await pair.replicating()
        pair.cut()
        cut_ms = time.time() * 1000
        lost = [await client.emitted("A", key=f"cut-off-{i}") for i in range(5)]
        await deployment.signed()
        await pair.fail_over()
        for program in (worker, client.program):
            await program.heard(r"(data loss)")
            told = [orjson.loads(line) for line in program.said().splitlines() if "data loss" in line]
            assert len(told) == 1
            assert cut_ms - 2500 < told[0]["survived_ms"] <= cut_ms < told[0]["noticed_ms"]
        assert [await deployment.queue.get(event_id) for event_id in lost] == [None] * 5
        again = [await client.emitted("A", key=f"cut-off-{i}") for i in range(5)]
        await deployment.all_succeed([*kept, *again])
    await deployment.assert_well()


@pytest.mark.parametrize("planned", [True, False], ids=["demoted", "killed"])
async def test_ft20_strict_loses_nothing_in_a_fail_over_under_load(
    deployment: Deployment, pair: Pair, planned: bool
) -> None:
    workers = [await deployment.worker(pair.front.url) for _ in range(2)]
    async with client_of(deployment, await deployment.integration(), pair.front.url, MIN_REPLICAS="1") as client:
        accepted: list[str] = []
        enough = asyncio.Event()

        async def emit(stream: int) -> None:
            number = 0
            while not enough.is_set():
                status, _, body = await client.emit(f"A{stream}", key=f"{stream}-{number}")
                if status == 202:
                    accepted.append(body["id"])
                    number += 1
                else:
                    await asyncio.sleep(0.05)

        emitting = asyncio.gather(*(emit(stream) for stream in range(8)))
        await asyncio.sleep(LOAD_S)
        await until(lambda: len(accepted) > 20)
        before = len(accepted)
        if planned:
            await pair.change_places()
        else:
            await pair.fail_over()
            pair.restore_key()
        await until(lambda: len(accepted) >= before + 50, in_time(30))
        enough.set()
        await emitting
        await deployment.all_succeed(accepted, within_s=40)
    assert all(worker.alive for worker in workers)
    assert "data loss" not in client.program.said() or not planned
    await deployment.assert_well()
