"""Keys of the queue that are deleted while workers run on them."""

from __future__ import annotations

import asyncio

import orjson
import pytest

from dispatcher.store.keys import deployment as keys
from tests.faults.deployment import FULL, LEASE_S, Deployment
from tests.hosts import Reply
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

ROUNDS = 12 if FULL else 3
ACCOUNTS = 30


async def test_e24_owners_deleted_under_load_cost_neither_the_order_nor_a_partition(deployment: Deployment) -> None:
    """Symptom: the generation was counted from 1 again, two workers owned one partition, and another had no owner."""
    deployment.host.default = Reply(delay_s=0.02)
    integrations = [await deployment.integration() for _ in range(6)]
    workers = [await deployment.worker(), await deployment.worker()]
    for _ in range(ROUNDS):
        ids = await deployment.emit_many(integrations, 240, accounts=ACCOUNTS)
        await asyncio.sleep(0.1)
        await deployment.redis.delete(*await until(lambda: _owners(deployment)))
        await deployment.all_succeed(ids, within_s=LEASE_S + 15)
        order = deployment.sent_order()
        for account in range(ACCOUNTS):
            firsts = [order.index(event_id) for event_id in ids[account::ACCOUNTS]]
            assert firsts == sorted(firsts)
    assert all(worker.alive for worker in workers)
    await until(lambda: _all_owned(deployment))
    await deployment.assert_well()


async def _owners(deployment: Deployment) -> list[bytes]:
    return [key async for key in deployment.redis.scan_iter("{p*}:own")]


async def _all_owned(deployment: Deployment) -> bool:
    """The workers say that they own every partition, each once."""
    names = [key async for key in deployment.redis.scan_iter(keys.worker_info("*"))]
    beats = [beat for beat in await deployment.redis.mget(names) if beat]
    owned = sorted(partition for beat in beats for partition in orjson.loads(beat)["partitions"])
    return owned == list(range(deployment.queue.partitions))
