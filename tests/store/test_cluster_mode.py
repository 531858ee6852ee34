"""The queue on a real server in cluster mode, where a script that touches a key of another slot is an error."""

from __future__ import annotations

import asyncio

from redis.asyncio import Redis

from dispatcher.api.app import build_app
from dispatcher.api.services import SERVICES
from dispatcher.api.watch.verdict import VERDICT
from dispatcher.model.status import Status
from dispatcher.model.verdict import Acknowledgement, ProblemKind
from dispatcher.settings import Settings
from dispatcher.store.health.workers.heartbeats import Heartbeats
from dispatcher.store.redis.scripts import all_scripts, script
from dispatcher.store.secrets.sealing import Sealer, new_key
from dispatcher.store.secrets.tokens import AccessToken, TokenStore
from tests.hosts import ProductHost
from tests.store.desk import LANE
from tests.store.every_partition import PARTITIONS, EveryPartition
from tests.worker.conftest import Shop
from worker.main import run


async def test_every_script_of_the_queue_stays_in_its_slot(cluster: Redis) -> None:
    partitions = EveryPartition(cluster)
    await partitions.accept_two_each()
    await partitions.own_all()
    heads = await partitions.claim_heads()
    await partitions.settle_as_failed(heads)
    for claimed in heads:
        await partitions.act_on(claimed)
    await partitions.look()
    await partitions.keep_up()
    await assert_every_queue_script_ran(cluster)


async def assert_every_queue_script_ran(cluster: Redis) -> None:
    ours = [each for each in all_scripts() if each.prelude == "queue"]
    known = await cluster.script_exists(*(each.sha for each in ours))
    assert [each.name for each, ran in zip(ours, known, strict=True) if not ran] == []


async def test_tokens_and_heartbeats_live_in_a_cluster(cluster: Redis) -> None:
    tokens = TokenStore(cluster, Sealer([new_key()]))
    assert await tokens.lock("f", "me")
    await tokens.put("f", AccessToken("t", 1.0, 1000.0), 2.0)
    assert await tokens.get("f") == AccessToken("t", 1.0, 1000.0)
    assert await tokens.drop("f", "t")
    await tokens.unlock("f", "me")
    assert await tokens.lock("f", "you")
    known = await cluster.script_exists(script("secrets/drop_if_equal").sha)
    assert known == [True]
    await Heartbeats(cluster).tell("w", b"{}")
    assert (await Heartbeats(cluster).look("w")).alive == {"w"}
    await Heartbeats(cluster).leave("w")


async def test_the_verdict_is_judged_in_a_cluster(cluster: Redis, redis_url: str) -> None:
    settings = Settings.model_validate(
        {"secret_keys": new_key(), "partitions": PARTITIONS, "queue_redis_url": redis_url}
    )
    app = await build_app(settings, cluster)
    evaluation = app[VERDICT].evaluation
    await app[SERVICES].queue.pause(LANE)
    await evaluation.once()
    said = await evaluation.judge()
    assert [problem.finding.kind for problem in said.problems] == [ProblemKind.PAUSED]
    assert await evaluation.verdicts.read() == said
    await evaluation.verdicts.acknowledge(f"paused:{LANE}", Acknowledgement("ada", said.at_ms))
    assert await evaluation.collector.sources.troubles.acknowledge(["none"]) == 0
    await app.cleanup()


async def test_a_worker_delivers_from_a_cluster_with_its_jobs_elsewhere(
    cluster_url: str, cluster: Redis, redis_url: str, product_host: ProductHost
) -> None:
    key = new_key()
    asked = {"secret_keys": key, "allow_networks": "127.0.0.0/8", "partitions": PARTITIONS, "lease": 2.0}
    settings = Settings.model_validate(asked | {"queue_redis_url": redis_url, "drain_timeout": 2.0})
    shop = Shop(cluster, cluster_url, product_host, settings, Sealer([key]))
    integrations = [await shop.integration() for _ in range(6)]
    ids = [await shop.emit(integrations[n % 6], str(n % 12)) for n in range(60)]
    stop = asyncio.Event()
    working = asyncio.create_task(run(settings, cluster_url, stop))
    try:
        for event_id in ids:
            assert (await shop.ended(event_id)).state.status is Status.SUCCEEDED
    finally:
        stop.set()
        await working
    assert len(product_host.requests) == len(ids)
    await shop.assert_well()
