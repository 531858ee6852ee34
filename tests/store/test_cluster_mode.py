"""The queue on a real server in cluster mode, where a script that touches a key of another slot is an error."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import tempfile
from collections.abc import AsyncIterator
from importlib.resources import files
from pathlib import Path

import pytest
from redis.asyncio import Redis

from dispatcher.embedded import EmbeddedServer, ServerOptions
from dispatcher.ids import new_event_id, new_uuid
from dispatcher.model.event import Event
from dispatcher.model.event_type import EventType
from dispatcher.model.queue import EventFilter
from dispatcher.model.status import Status
from dispatcher.settings import Settings
from dispatcher.store.claim_reply import read_claim
from dispatcher.store.connection import connect
from dispatcher.store.heartbeats import Heartbeats
from dispatcher.store.partition import MEND_START, LaneSetting, PartitionStore, Settlement
from dispatcher.store.queue import QueueStore
from dispatcher.store.scripts import NAMES, script
from dispatcher.store.sealing import Sealer, new_key
from dispatcher.store.tokens import AccessToken, TokenStore
from tests.hosts import ProductHost
from tests.worker.conftest import Shop
from worker.main import run

PARTITIONS = 4
RETENTION_MS = 3_600_000
URL = "https://host.test/x"


def free_port() -> int:
    """One whose bus port, 10,000 higher, exists too."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    return port if port < 55_000 else port - 20_000


@pytest.fixture
async def cluster_url() -> AsyncIterator[str]:
    """A cluster of one node that has every slot and no data."""
    with tempfile.TemporaryDirectory(prefix="dc-", dir="/tmp") as name:
        options = ServerOptions(appendonly=False, port=free_port(), cluster=True)
        async with EmbeddedServer.start(Path(name) / "data", options) as server:
            async with connect(server.url) as node:
                await node.cluster("ADDSLOTSRANGE", 0, 16383)
                async with asyncio.timeout(20):
                    while (await node.cluster("INFO"))["cluster_state"] != "ok":
                        await asyncio.sleep(0.02)
            yield f"redis+cluster://127.0.0.1:{options.port}"


@pytest.fixture
async def cluster(cluster_url: str) -> AsyncIterator[Redis]:
    async with connect(cluster_url) as client:
        yield client


def event(lane: str, partition: int, account: str, kind: EventType = EventType.SUBSCRIPTION_CHANGE) -> Event:
    return Event(new_event_id(1, partition), kind, lane, 1, product_id="P", account_id=account, payload={"x": 1})


async def test_every_script_of_the_queue_stays_in_its_slot(cluster: Redis) -> None:
    queue = QueueStore(cluster, partitions=PARTITIONS, retention_ms=RETENTION_MS)
    store = PartitionStore(cluster, partitions=PARTITIONS, retention_ms=RETENTION_MS, lease_ms=5000, lane_cap=10)
    lanes: dict[int, str] = {}
    while len(lanes) < PARTITIONS:
        lane = new_uuid()
        lanes.setdefault(queue.partition_of(lane), lane)
    events = [event(lane, partition, "A") for partition, lane in lanes.items() for _ in range(2)]
    assert not any(receipt.replayed for receipt in await queue.accept(events))
    assert await store.unowned() == dict.fromkeys(range(PARTITIONS), 0)
    owned = {partition: await store.grant(partition, 1000) for partition in lanes}
    for partition, generation in owned.items():
        assert await store.own(partition, generation, "w")
    calls = [store.claim_call(partition, generation, 5) for partition, generation in owned.items()]
    heads = [
        claimed for reply in await store.round_trip(calls) if (claim := read_claim(reply)) for claimed in claim.events
    ]
    assert len(heads) == PARTITIONS
    settles = [
        store.settle_call(
            partition,
            owned[partition],
            [
                Settlement(
                    claimed,
                    Status.FAILED,
                    account_identifier="A-1",
                    notification=event(lanes[partition], partition, "A", EventType.SUBSCRIPTION_STATUS),
                )
            ],
            [LaneSetting(lanes[partition], "cap", 5)],
            {"attempts:OK": 1},
        )
        for claimed in heads
        for partition in [queue.partition_of(claimed.event.integration_id)]
    ]
    assert [reply[1] for reply in await store.round_trip(settles)] == [1] * PARTITIONS
    for claimed in heads:
        lane = claimed.event.integration_id
        await queue.redeliver(claimed.event.id, 1)
        await queue.resolve(claimed.event.id)
        await queue.pause(lane)
        await queue.suspend_url(lane, URL)
        await queue.resume(lane)
        assert await queue.explain(claimed.event.id) is not None
        assert await queue.attempts(claimed.event.id) == []
    assert len((await queue.page(EventFilter(), None, 100)).items) == 2 * PARTITIONS
    assert (await queue.overview()).ready == 2 * PARTITIONS
    assert len(await queue.changes(None)) >= 4 * PARTITIONS
    assert (await queue.reserve("c", "k", "h", events[0].id)).fresh
    assert {made for _, made in (await store.mend(dict.fromkeys(lanes, MEND_START))).values()} == {0}
    assert await store.overdue_results(lanes, 10**13) == []
    for partition, generation in owned.items():
        await store.trim(partition, RETENTION_MS + 1)
        assert await store.rest(partition, generation)
    assert (await store.audit()).well
    await assert_every_queue_script_ran(cluster)


async def assert_every_queue_script_ran(cluster: Redis) -> None:
    known = await cluster.script_exists(*(script(name).sha for name in NAMES))
    assert [name for name, ran in zip(NAMES, known, strict=True) if not ran] == []


async def test_tokens_and_heartbeats_live_in_a_cluster(cluster: Redis) -> None:
    tokens = TokenStore(cluster, Sealer([new_key()]))
    assert await tokens.lock("f", "me")
    await tokens.put("f", AccessToken("t", 1.0, 1000.0), 2.0)
    assert await tokens.get("f") == AccessToken("t", 1.0, 1000.0)
    assert await tokens.drop("f", "t")
    await tokens.unlock("f", "me")
    assert await tokens.lock("f", "you")
    known = await cluster.script_exists(_sha("drop_if_equal"))
    assert known == [True]
    assert await Heartbeats(cluster).beat("w", b"{}") == 1
    await Heartbeats(cluster).leave("w")


def _sha(name: str) -> str:
    text = files("dispatcher.store").joinpath(f"lua/{name}.lua").read_text()
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


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
