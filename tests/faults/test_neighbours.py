"""A vendor whose hosts, names or pings hang, or whose events are large, beside one whose hosts answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from functools import partial

import pytest

from dispatcher.model.integration import Integration
from dispatcher.model.queue import Reason
from tests.faults.deployment import FULL, Deployment
from tests.faults.processes import under_limit
from tests.raw_server import RawServer
from tests.waiting import until

pytestmark = pytest.mark.slow

HANGING = 90
OFFERED = 2 * 2048 + 512
PATIENCE = {"REQUEST_TIMEOUT": "300", "DRAIN_TIMEOUT": "0"}
"""The longest that an attempt may take, so that none ends while a test runs."""
P99_S = 2.0
"""Judged in the long form, on a machine that has nothing else to do; in the short form others go on at all."""


async def hang(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """Reads what it is sent and never answers."""
    while await reader.read(2**16):
        pass


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
