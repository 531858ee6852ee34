"""Slots that move: nothing is done by halves, a refusal is a plain no, and what does not move goes on."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from dispatcher.errors import StoreDeclined, StoreUnavailable
from dispatcher.model.queue import EventFilter
from dispatcher.store.keys import queue as keys
from dispatcher.store.queue.events import QueueStore
from dispatcher.store.redis.connection import connect
from dispatcher.store.redis.scripts import all_scripts
from tests.events import event_of
from tests.store.every_partition import PARTITIONS, EveryPartition
from tests.store.three_primaries import Cluster, command, slot_of, three_primaries

MOVING = 0


@pytest.fixture
async def cluster() -> AsyncIterator[Cluster]:
    with tempfile.TemporaryDirectory(prefix="dc-", dir="/tmp") as name:
        async with three_primaries(Path(name)) as made:
            yield made


@pytest.fixture
async def client(cluster: Cluster) -> AsyncIterator[Redis]:
    async with connect(cluster.url) as redis:
        yield redis


async def half_moved(cluster: Cluster, partition: int = MOVING) -> None:
    """The slot of a partition moves, and half of its keys are on either node."""
    slot = slot_of(keys.own(partition))
    source, target = await cluster.owner(slot), await cluster.next_to(slot)
    await command(target, "CLUSTER", "SETSLOT", slot, "IMPORTING", source.id)
    await command(source, "CLUSTER", "SETSLOT", slot, "MIGRATING", target.id)
    known = await command(source, "CLUSTER", "GETKEYSINSLOT", slot, 100_000)
    half = sorted(known)[len(known) // 2 :]
    await command(source, "MIGRATE", "127.0.0.1", target.server.port, "", 0, 5000, "KEYS", *half)


async def dumped(cluster: Cluster) -> dict[tuple[str, bytes], str]:
    """Every key of every node with its value."""
    found = {}
    for node in cluster.primaries:
        for key in await node.client.keys():
            found[node.id, key] = await answer_of(node.client, ("DUMP", key))
    return found


async def test_no_script_of_the_queue_runs_where_only_a_part_of_its_keys_is(cluster: Cluster, client: Redis) -> None:
    """Symptom: counts without the event, and accounts on two nodes, which no node could take over."""
    partitions = EveryPartition(client)
    await partitions.accept_two_each()
    await partitions.own_all()
    await half_moved(cluster)
    before = await dumped(cluster)
    own = keys.own(MOVING)
    for each in all_scripts():
        if each.prelude != "queue" or each.name.startswith("health/"):
            continue
        for node in cluster.primaries:
            call = each.call([own], "1", "2", "3", "4")
            for asking in (False, True):
                reply = await answer_of(node.client, call.by_text(), asking=asking)
                assert reply.partition(" ")[0] in {"TRYAGAIN", "ASK", "MOVED"}, (each.name, reply)
    assert await dumped(cluster) == before


async def answer_of(node: Redis, sent: tuple[object, ...], *, asking: bool = True) -> str:
    """The node's own answer, following nothing."""
    connection = await node.connection_pool.get_connection()
    try:
        if asking:
            await connection.send_command("ASKING")
            await connection.read_response()
        await connection.send_command(*sent)
        return f"ran: {await connection.read_response()!r}"
    except ResponseError as error:
        return str(error)
    finally:
        await node.connection_pool.release(connection)


async def test_a_slot_that_moves_is_declined_and_the_others_are_served(cluster: Cluster, client: Redis) -> None:
    """Symptom: one bad reply failed the whole write, overview and list."""
    queue = QueueStore(client, partitions=PARTITIONS, retention_ms=3_600_000)
    lanes = lanes_of_each(queue)
    await queue.accept([event_of(lane, PARTITIONS) for lane in lanes])
    await half_moved(cluster)
    events = [event_of(lane, PARTITIONS) for lane in lanes]
    receipts = await queue.accept_each([event.document() for event in events])
    assert [isinstance(receipt, StoreDeclined) for receipt in receipts] == [True, *[False] * (PARTITIONS - 1)]
    assert (await queue.overview()).ready == PARTITIONS - 1
    assert len((await queue.page(EventFilter(), None, 100, complete=False)).items) == 2 * (PARTITIONS - 1)
    with pytest.raises(StoreUnavailable):
        await queue.page(EventFilter(), None, 100)
    with pytest.raises(StoreDeclined):
        await queue.get(events[0].id)
    slot = slot_of(keys.own(MOVING))
    await cluster.move(slot, await cluster.next_to(slot))
    again = await queue.accept([events[0], events[0]])
    assert [receipt.replayed for receipt in again] == [False, True]
    assert len((await queue.page(EventFilter(), None, 100)).items) == 2 * PARTITIONS


async def test_single_keys_are_found_wherever_they_are_while_a_slot_moves(cluster: Cluster, client: Redis) -> None:
    names = [f"{{p0}}:{n}" for n in range(20)]
    for name in names:
        await client.set(name, name)
    await half_moved(cluster)
    assert [(await client.get(name)) for name in names] == [name.encode() for name in names]
    pipeline = client.pipeline(transaction=False)
    for name in [*names, "elsewhere"]:
        pipeline.get(name)
    assert await pipeline.execute() == [*(name.encode() for name in names), None]
    await client.set("{p0}:new", "1")
    assert await client.get("{p0}:new") == b"1"


async def test_a_node_that_is_away_costs_only_what_was_asked_of_it(cluster: Cluster, client: Redis) -> None:
    """Symptom: the connections to every node were closed, and what was on its way to them was lost."""
    queue = QueueStore(client, partitions=PARTITIONS, retention_ms=3_600_000)
    lanes = lanes_of_each(queue)
    await queue.accept([event_of(lane, PARTITIONS) for lane in lanes])
    owners = [await cluster.owner(slot_of(keys.own(partition))) for partition in range(PARTITIONS)]
    (await cluster.owner(slot_of(keys.own(MOVING)))).server.kill()
    receipts = await queue.accept_each([event_of(lane, PARTITIONS).document() for lane in lanes])
    gone = [owner is owners[MOVING] for owner in owners]
    assert [isinstance(receipt, StoreUnavailable) for receipt in receipts] == gone
    assert 0 < sum(gone) < PARTITIONS


def lanes_of_each(queue: QueueStore) -> list[str]:
    """A lane in each partition, in their order."""
    found: dict[int, str] = {}
    number = 0
    while len(found) < PARTITIONS:
        found.setdefault(queue.partition_of(f"lane-{number}"), f"lane-{number}")
        number += 1
    return [found[partition] for partition in range(PARTITIONS)]
