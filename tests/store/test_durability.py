"""Strict durability: what is accepted is on replicas, on one server and in a cluster, also when it is sent again."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import redis as redis_sync
from redis.asyncio import Redis

from dispatcher.errors import StoreUnavailable
from dispatcher.ids import new_event_id, new_uuid
from dispatcher.model.event import Event
from dispatcher.model.event_type import EventType
from dispatcher.store.queue.events import QueueStore
from dispatcher.store.redis.connection import connect
from dispatcher.store.redis.durability import writing
from tests.conftest import VOLATILE, server_binary, wait_until_ready
from tests.ports import free_port
from tests.programs import attended
from tests.store.conftest import servers
from tests.waiting import until

PARTITIONS = 4
PATIENT_MS = 4000
"""For a replica that this machine does not let run just now; less than a client waits for any answer."""
SOON_MS = 200
"""For what no replica will have, however long one waits."""
AT_ONCE = ("--repl-diskless-sync-delay", "0")


@dataclass(frozen=True, slots=True)
class Node:
    port: int
    folder: Path

    def signal(self, number: int) -> None:
        os.kill(int((self.folder / "pid").read_text()), number)

    def client(self) -> redis_sync.Redis:
        return redis_sync.Redis(port=self.port)


@contextmanager
def node(binary: str, *options: str) -> Iterator[Node]:
    with tempfile.TemporaryDirectory(prefix="dd-", dir="/tmp") as folder:
        made = Node(free_port(), Path(folder))
        where = ("--bind", "127.0.0.1", "--dir", folder, "--logfile", "log", "--pidfile", f"{folder}/pid")
        with attended([binary, *where, *VOLATILE, "--port", str(made.port), *AT_ONCE, *options]):
            with made.client() as client:
                wait_until_ready(client)
            try:
                yield made
            finally:
                made.signal(signal.SIGCONT)


def replicated(master: redis_sync.Redis) -> bool:
    info = master.info("replication")
    assert isinstance(info, dict)
    replica = info.get("slave0", {})
    return bool(replica.get("state") == "online" and replica["offset"] == info["master_repl_offset"])


@pytest.fixture(params=servers(), ids=lambda path: Path(path).name)
async def pair(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Node, Node]]:
    """A master and its replica, of every server of this machine."""
    with node(request.param) as master, node(request.param, "--replicaof", f"127.0.0.1 {master.port}") as replica:
        with master.client() as client:
            await until(lambda: replicated(client))
        yield master, replica


@pytest.fixture
async def cluster() -> AsyncIterator[list[Node]]:
    """Two masters with half of the slots each, and a replica of each."""
    with ExitStack() as stack:
        nodes = [stack.enter_context(node(server_binary(), "--cluster-enabled", "yes")) for _ in range(4)]
        clients = [stack.enter_context(one.client()) for one in nodes]
        for client in clients[1:]:
            cluster_command(client, "MEET", "127.0.0.1", nodes[0].port)
        for client, slots in zip(clients[:2], ((0, 8191), (8192, 16383)), strict=True):
            cluster_command(client, "ADDSLOTSRANGE", *slots)
        names = [cluster_command(client, "MYID").decode() for client in clients]
        for client, name in zip(clients[2:], names[:2], strict=True):
            await until(partial(_replicates, client, name))
        await until(lambda: all(replicated(client) for client in clients[:2]))
        await until(lambda: all(b"cluster_state:ok" in cluster_command(client, "INFO") for client in clients))
        yield nodes


def _replicates(client: redis_sync.Redis, name: str) -> bool:
    """Once it has heard of the master, it can follow it."""
    try:
        return bool(cluster_command(client, "REPLICATE", name))
    except redis_sync.ResponseError:
        return False


def cluster_command(client: redis_sync.Redis, *words: str | int) -> Any:
    return client.execute_command("CLUSTER", *words)  # type: ignore[no-untyped-call]


def events(partitions: int) -> list[Event]:
    return [
        Event(
            new_event_id(1, partition), EventType.SUBSCRIPTION_CHANGE, new_uuid(), 1, account_id="A", payload={"x": 1}
        )
        for partition in range(partitions)
    ]


def strict(client: Redis, replicas: int = 1, within_ms: int = PATIENT_MS) -> QueueStore:
    queue = QueueStore(client, partitions=PARTITIONS, retention_ms=3_600_000, min_replicas=replicas)
    queue._write = writing(replicas, within_ms)
    return queue


async def test_an_accepted_event_is_on_the_replica(pair: tuple[Node, Node]) -> None:
    master, replica = pair
    async with connect(f"redis://127.0.0.1:{master.port}") as client:
        await client.script_flush()
        await client.function_flush("SYNC")  # type: ignore[misc]
        receipts = await strict(client).accept(events(PARTITIONS))
        assert [receipt.replayed for receipt in receipts] == [False] * PARTITIONS
        with replica.client() as behind:
            assert all(behind.exists(f"{{p{n}}}:e:{receipt.id}") for n, receipt in enumerate(receipts))


async def test_without_the_replica_nothing_is_accepted_however_often_it_is_repeated(pair: tuple[Node, Node]) -> None:
    """Symptom: the repeat wrote nothing, so that WAIT had nothing to wait for and it was answered with 202."""
    master, replica = pair
    async with connect(f"redis://127.0.0.1:{master.port}") as client:
        queue, sent = strict(client), events(1)
        replica.signal(signal.SIGSTOP)
        for _ in range(3):
            await client.connection_pool.disconnect()
            with pytest.raises(StoreUnavailable, match="0 of 1 replicas"):
                await strict(client, within_ms=SOON_MS).accept(sent)
        replica.signal(signal.SIGCONT)
        receipts = await until(partial(queue.accept, sent), despite=StoreUnavailable)
        assert [receipt.replayed for receipt in receipts] == [True]
        with pytest.raises(StoreUnavailable, match="1 of 2 replicas"):
            await strict(client, 2).accept(events(1))


async def test_in_a_cluster_every_master_waits_for_its_own_replica(cluster: list[Node]) -> None:
    async with connect(f"redis+cluster://127.0.0.1:{cluster[0].port}") as client:
        queue, sent = strict(client), events(PARTITIONS)
        assert len({client.get_node_from_key(f"{{p{n}}}:own").name for n in range(PARTITIONS)}) == 2  # type: ignore[attr-defined]
        assert len(await queue.accept(sent)) == PARTITIONS
        cluster[3].signal(signal.SIGSTOP)
        with pytest.raises(StoreUnavailable, match="0 of 1 replicas"):
            await strict(client, within_ms=SOON_MS).accept(events(PARTITIONS))
        cluster[3].signal(signal.SIGCONT)
        receipts = await until(partial(queue.accept, sent), despite=StoreUnavailable)
        assert {receipt.replayed for receipt in receipts} == {True}
