"""A cluster of three primaries under load: slots that move, and a primary that dies."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from dispatcher.ids import partition_of_lane
from dispatcher.model.integration import Integration
from dispatcher.store.keys import definitions as definition_keys
from dispatcher.store.keys import queue as queue_keys
from dispatcher.store.redis.connection import connect
from tests.faults.client import Client, client_of
from tests.faults.deployment import FULL, PARTITIONS, Deployment, in_time, with_limits
from tests.store.three_primaries import THIRDS, Cluster, slot_of, three_primaries
from tests.waiting import until

pytestmark = pytest.mark.slow

LOAD_S = 20.0 if FULL else 3.0
STALL_S = 5.0
RECOVERY_S = 10.0
SLOTS_BEFORE = 1000 if FULL else 50
"""Empty ones that the tool moves before that of a partition."""
BETWEEN_S = 0.02


@dataclass
class Load:
    """One account in each partition, which emits one by one. ``paused_s``: its longest time without a 202."""

    client: Client
    lanes: list[Integration]
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    accepted: dict[int, list[str]] = field(default_factory=dict)
    paused_s: dict[int, float] = field(default_factory=dict)

    async def emit(self, partition: int) -> None:
        ids = self.accepted[partition] = []
        last_s = time.monotonic()
        self.paused_s[partition] = 0.0
        while not self.stop.is_set():
            key = f"{partition}-{len(ids)}"
            ids.append(await self.client.emitted("A", key=key, within_s=60, product=f"P{partition}"))
            now_s = time.monotonic()
            self.paused_s[partition] = max(self.paused_s[partition], now_s - last_s)
            last_s = now_s
            await asyncio.sleep(BETWEEN_S)

    @property
    def ids(self) -> list[str]:
        return [event_id for ids in self.accepted.values() for event_id in ids]


@dataclass
class Scene:
    deployment: Deployment
    cluster: Cluster
    queue_url: str

    async def lanes(self) -> list[Integration]:
        """One in each partition, of a product of its own."""
        found: dict[int, Integration] = {}
        while len(found) < PARTITIONS:
            made = await self.deployment.integration()
            found.setdefault(partition_of_lane(made.id, PARTITIONS), made)
        for partition, lane in found.items():
            await self.deployment.definitions.link(f"P{partition}", lane.id, 3)
        return [found[partition] for partition in range(PARTITIONS)]

    @asynccontextmanager
    async def load(self, **changed: str) -> AsyncIterator[Load]:
        """Two workers and an API; on leaving everything that was accepted is delivered, in order, and accounted for."""
        lanes, url = await self.lanes(), self.cluster.url
        workers = [await self.deployment.worker(url, QUEUE_REDIS_URL=self.queue_url) for _ in range(2)]
        async with client_of(self.deployment, lanes[0], url, QUEUE_REDIS_URL=self.queue_url, **changed) as client:
            load = Load(client, lanes)
            async with asyncio.TaskGroup() as emitting:
                for partition in range(PARTITIONS):
                    emitting.create_task(load.emit(partition))
                try:
                    yield load
                finally:
                    load.stop.set()
            await self.deployment.all_succeed(load.ids, 40)
            assert client.program.alive
        assert all(worker.alive for worker in workers)
        self.assert_in_order(load)
        await self.deployment.assert_well()

    def assert_in_order(self, load: Load) -> None:
        first_seen = list(dict.fromkeys(self.deployment.sent_order()))
        assert set(first_seen) >= set(load.ids), "lost"
        for ids in load.accepted.values():
            of_account = set(ids)
            assert [one for one in first_seen if one in of_account] == ids


@asynccontextmanager
async def scene(
    deployment: Deployment, queue_url: str, replicas: Sequence[int] = (0, 0, 0), begins: Sequence[int] = THIRDS
) -> AsyncIterator[Scene]:
    async with (
        three_primaries(deployment.folder, replicas, begins) as cluster,
        connect(cluster.url) as redis,
    ):
        yield Scene(deployment.elsewhere(redis, cluster.url), cluster, queue_url)


async def test_ft47_slots_that_move_under_load_lose_nothing_and_stop_no_other(
    deployment: Deployment, redis_url: str
) -> None:
    """Symptom: both workers ended, accepting answered 500, and the audit did not agree any more."""
    async with scene(deployment, redis_url) as made, made.load() as load:
        cluster, moving = made.cluster, [0, 1]
        await asyncio.sleep(LOAD_S)
        for name in (*(queue_keys.own(partition) for partition in moving), definition_keys.DEF_INTEGRATIONS):
            slot = slot_of(name)
            assert await cluster.move(slot, await cluster.next_to(slot), pause_s=0.02), "it has keys"
            for path in ("/v1/queue", "/v1/events"):
                status, _, body = await load.client.get(path)
                assert status == 200, body
        await asyncio.sleep(1)
    stalls = {partition: load.paused_s[partition] for partition in range(PARTITIONS) if partition not in moving}
    assert max(stalls.values()) < STALL_S, stalls


async def test_ft47_the_tool_moves_slots_under_load(deployment: Deployment, redis_url: str) -> None:
    """Whoever begins with the slot of a partition has it among the first that the tool takes."""
    moving, other = sorted(slot_of(queue_keys.own(partition)) for partition in range(PARTITIONS))[:2]
    begins = (0, moving - SLOTS_BEFORE, other)
    async with scene(deployment, redis_url, begins=begins) as made, made.load() as load:
        await asyncio.sleep(1)
        source, target = await made.cluster.owner(moving), await made.cluster.next_to(moving)
        said = await made.cluster.reshard(source, target, SLOTS_BEFORE + 1)
        assert "[ERR]" not in said, said
        await made.cluster.settled()
        assert await made.cluster.owner(moving) is target
        await asyncio.sleep(1)
    stalls = [load.paused_s[one] for one in range(PARTITIONS) if slot_of(queue_keys.own(one)) != moving]
    assert max(stalls) < STALL_S, stalls


async def test_ft48_a_primary_that_dies_under_load_loses_nothing_that_replicas_had(
    deployment: Deployment, redis_url: str
) -> None:
    async with scene(deployment, redis_url, (2, 1, 1)) as made, made.load(MIN_REPLICAS="1") as load:
        await asyncio.sleep(LOAD_S)
        victim = made.cluster.primaries[0]
        hit = [p for p in range(PARTITIONS) if await made.cluster.owner(slot_of(queue_keys.own(p))) is victim]
        before = {partition: len(load.accepted[partition]) for partition in hit}
        victim.server.kill()
        began_s = time.monotonic()
        await until(lambda: all(len(load.accepted[p]) > before[p] + 5 for p in hit), in_time(30))
        recovered_s = time.monotonic() - began_s
        assert recovered_s < RECOVERY_S or not FULL


async def test_ft48_a_frozen_primary_holds_up_its_own_partitions_alone(deployment: Deployment, redis_url: str) -> None:
    """A round for all partitions would wait for it for as long as it is frozen."""
    async with scene(deployment, redis_url) as made:
        owners = {p: await made.cluster.owner(slot_of(queue_keys.own(p))) for p in range(PARTITIONS)}
        definitions = await made.cluster.owner(slot_of(definition_keys.DEF_INTEGRATIONS))
        frozen = next(node for node in owners.values() if node is not definitions)
        for node in made.cluster.nodes:  # it is not to be taken for gone: the others would answer nothing either
            await node.client.config_set("cluster-node-timeout", 120_000)
        lanes = await made.lanes()
        patient = with_limits(SOCKET_TIMEOUT_S=600.0)
        await made.deployment.worker(made.cluster.url, code=patient, QUEUE_REDIS_URL=redis_url)
        ids = [await made.deployment.emit(lane) for lane in lanes]
        await made.deployment.all_succeed(ids, 40)
        others = [lane for partition, lane in enumerate(lanes) if owners[partition] is not frozen]
        frozen.server.signal(signal.SIGSTOP)
        try:
            for n in range(60):  # until long after a lease had to be renewed there
                event_id = await made.deployment.emit(others[n % len(others)])
                await made.deployment.all_succeed([event_id], 30)
        finally:
            frozen.server.signal(signal.SIGCONT)
        await made.deployment.all_succeed([await made.deployment.emit(lane) for lane in lanes], 40)
        await made.deployment.assert_well()
