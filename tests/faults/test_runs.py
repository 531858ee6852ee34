"""Runs on a cluster and behind Sentinel: a worker that is killed in the middle of them loses nothing and no order."""

from __future__ import annotations

import pytest

from dispatcher.model.integration import Integration
from dispatcher.store.redis.connection import connect
from tests.faults.deployment import Deployment
from tests.hosts import Reply
from tests.store.behind_sentinel import replicated, until_written
from tests.store.three_primaries import three_primaries
from tests.waiting import until

pytestmark = pytest.mark.slow

EVENTS = 30
"""Of each account."""


async def _lanes(made: Deployment) -> list[Integration]:
    """Two, in partitions of their own."""
    one, other = await made.integration(), await made.integration()
    while made.queue.partition_of(other.id) == made.queue.partition_of(one.id):
        other = await made.integration()
    return [one, other]


async def _killed_in_a_run(made: Deployment, queue_url: str) -> None:
    """Each event is sent for the first time in its turn, and none is lost."""
    made.host.default = Reply(delay_s=0.02)
    lanes = await _lanes(made)
    for _ in range(2):
        await made.worker(made.redis_url, QUEUE_REDIS_URL=queue_url, RUN="16")
    ids = await made.emit_many(lanes, EVENTS * len(lanes), accounts=len(lanes))
    await until(lambda: len(made.host.requests) > EVENTS // 2, 30)
    (await made.owning_worker(lanes[0])).kill()
    await made.all_succeed(ids, 40)
    first_seen = list(dict.fromkeys(made.sent_order()))
    for number in range(len(lanes)):
        of_account = ids[number :: len(lanes)]
        assert [one for one in first_seen if one in of_account] == of_account
    await made.assert_well()


async def test_ft1_worker_killed_in_a_run_on_a_cluster(deployment: Deployment, redis_url: str) -> None:
    async with three_primaries(deployment.folder) as cluster, connect(cluster.url) as redis:
        await _killed_in_a_run(deployment.elsewhere(redis, cluster.url), redis_url)


async def test_ft1_worker_killed_in_a_run_behind_sentinel(deployment: Deployment) -> None:
    async with replicated() as (_, url), connect(url) as redis:
        await until_written(redis, "there")
        await _killed_in_a_run(deployment.elsewhere(redis, url), url)
