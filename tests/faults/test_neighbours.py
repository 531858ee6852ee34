"""A vendor whose hosts, names or pings hang, or whose events are large, beside one whose hosts answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from ipaddress import ip_network

import pytest

from dispatcher.flow.pings.request import PingOptions, request_ping
from dispatcher.model.integration import Integration
from dispatcher.model.ping import PingVersion
from dispatcher.model.queue import Reason
from dispatcher.store.definitions.pings.starter import QueuedPings
from dispatcher.store.jobs import JobQueue, job_client
from tests.events import event_of
from tests.faults.deployment import FULL, PARTITIONS, Deployment
from tests.faults.hostile import hang, run
from tests.faults.processes import under_limit
from tests.raw_server import RawServer
from tests.waiting import until
from tests.worker.test_ping_credentials import tried, wanted
from worker.ping.errands import AT_ONCE

pytestmark = pytest.mark.slow

HANGING = 90
PINGS = 80
LARGE = 120_000
"""Records of a payload of about a megabyte."""
OFFERED = 2 * 2048 + 512
PATIENCE = {"REQUEST_TIMEOUT": "300", "DRAIN_TIMEOUT": "0"}
"""The longest that an attempt may take, so that none ends while a test runs."""
P99_S = 2.0
"""Judged in the long form, on a machine that has nothing else to do; in the short form others go on at all."""


async def vendor_of(deployment: Deployment, name: str, url: str, count: int) -> list[Integration]:
    return [await deployment.integration({"upgradeUrl": url}, vendor_id=name) for _ in range(count)]


async def slowest_percent_s(deployment: Deployment, lanes: Sequence[Integration], rounds: int) -> float:
    """The 99th percentile from accepting to arriving, of ten events in each round."""
    sent_s: dict[str, float] = {}
    for _ in range(rounds):
        now_s = time.monotonic()
        sent_s |= dict.fromkeys(await deployment.emit_many(lanes, 10), now_s)
        await asyncio.sleep(0.1)
    await deployment.all_succeed(list(sent_s), within_s=60)
    arrived_s = {r.headers["webhook-id"]: r.arrived_s for r in deployment.host.requests}
    lags_s = sorted(arrived_s[event_id] - at_s for event_id, at_s in sent_s.items())
    return lags_s[int(len(lags_s) * 0.99)]


@pytest.mark.parametrize(
    ("workers", "under"), [(1, ()), (2, ()), (1, under_limit("-n 1024"))], ids=["one", "two", "with few files"]
)
async def test_ft50_a_vendor_whose_hosts_hang_leaves_places_to_others(
    deployment: Deployment, workers: int, under: tuple[str, ...]
) -> None:
    """More hanging attempts than there are places; what has none waits, and what others send is not behind it."""
    async with RawServer(hang) as silent:
        hanging = await vendor_of(deployment, "hanging", silent.url, HANGING)
        well = await vendor_of(deployment, "well", deployment.host.url(), 5)
        for _ in range(workers):
            await deployment.worker(under=under, **PATIENCE)
        await deployment.all_succeed(await deployment.emit_many(well, 20))
        offered = await deployment.emit_many(hanging, OFFERED)
        await until(lambda: silent.connections > 300)
        lag_s = await slowest_percent_s(deployment, well, 60 if FULL else 15)
        assert lag_s < P99_S or not FULL
        await until(partial(_one_waits_for_its_share, deployment, offered[-HANGING:]))


async def _one_waits_for_its_share(deployment: Deployment, ids: Sequence[str]) -> bool:
    reasons = [why.reason for event_id in ids if (why := await deployment.queue.explain(event_id))]
    return Reason.SHARE_USED in reasons


async def test_ft50_pings_on_silent_hosts_keep_no_partition_without_an_owner(deployment: Deployment) -> None:
    """A worker is killed while pings take all that a vendor may have: its partitions and others' tests go on."""
    async with RawServer(hang) as silent, job_queue(deployment) as jobs:
        hanging = await vendor_of(deployment, "hanging", silent.url, PINGS)
        doomed = await deployment.worker(**PATIENCE)
        await deployment.all_succeed(await deployment.emit_many([await deployment.integration()], 1))
        await deployment.worker(**PATIENCE)
        for one in hanging:
            await request_ping(
                deployment.definitions,
                QueuedPings(jobs),
                one.id,
                PingVersion.WORKING,
                None,
                int(time.time() * 1000),
                PingOptions(timeout_s=300),
            )
        await until(lambda: silent.connections >= AT_ONCE // 2)
        doomed.kill()
        await until(partial(_all_owned_beside, deployment, doomed.pid))
        deployment.settings = deployment.settings.model_copy(update={"allow_networks": (ip_network("127.0.0.0/8"),)})
        outcome = await tried(deployment, wanted(deployment))
        assert outcome.success, outcome
        await deployment.all_succeed(await deployment.emit_many([await deployment.integration()], 8))


async def _all_owned_beside(deployment: Deployment, pid: int) -> bool:
    seen = await deployment.queue.overview()
    owners = [one.owner for one in seen.partitions if one.lease_until_ms > seen.now_ms]
    return len(owners) == PARTITIONS and not any(owner and f"-{pid}-" in owner for owner in owners)


@asynccontextmanager
async def job_queue(deployment: Deployment) -> AsyncIterator[JobQueue]:
    client = job_client(deployment.server.url)
    try:
        yield JobQueue(client)
    finally:
        await client.aclose(close_connection_pool=True)


async def test_ft50_large_events_take_bounded_memory_and_keep_no_other_waiting(deployment: Deployment) -> None:
    """Hosts that hang while sixty events of a megabyte wait, each of which is many times as large when it is read: all
    at once they would take more than a gigabyte.
    """
    async with RawServer(hang) as silent:
        hanging = await vendor_of(deployment, "hanging", silent.url, 15)
        well = await vendor_of(deployment, "well", deployment.host.url(), 3)
        worker = await deployment.worker(**PATIENCE)
        await deployment.all_succeed(await deployment.emit_many(well, 3))
        for n in range(60):
            lane = hanging[n % len(hanging)]
            event = event_of(lane.id, PARTITIONS, str(n), payload={"x": [{"a": 1}] * LARGE})
            await deployment.queue.accept([event])
        await until(lambda: silent.connections >= 2)
        waiting = [await deployment.emit(lane, account="small") for lane in hanging]
        await until(partial(_one_waits_for_its_share, deployment, waiting))
        peaks = [worker.rss_bytes]
        for _ in range(5):
            await deployment.all_succeed(await deployment.emit_many(well, 10), within_s=60)
            peaks.append(worker.rss_bytes)
        large = event_of(well[0].id, PARTITIONS, "large", payload={"x": [{"a": 1}] * LARGE})
        await deployment.queue.accept([large])
        await deployment.all_succeed([large.id], within_s=60)
        assert max(*peaks, worker.rss_bytes) < 800 * 2**20


async def test_ft50_a_vendor_that_does_all_of_it_at_once_keeps_nothing_of_others_from_arriving() -> None:
    measured = await run(seconds=60 if FULL else 3)
    assert measured.lags_s
    assert not measured.unsent
    assert measured.good or not FULL, measured
