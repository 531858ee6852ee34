"""A cluster of three real primaries, whose slots can be moved and which can be killed. Holds no test."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from redis.crc import key_slot

from tests.faults.processes import Server
from tests.programs import ran
from tests.waiting import until

PATIENCE_S = 110.0

SLOTS = 16_384
THIRDS = (0, SLOTS // 3, 2 * SLOTS // 3)
OPTIONS = ("--cluster-enabled", "yes", "--cluster-node-timeout", "2000", "--appendonly", "no")
AT_ONCE = ("--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1")


def slot_of(key: str) -> int:
    return int(key_slot(key.encode()))


@dataclass
class Node:
    server: Server
    client: Redis
    id: str

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server.port}"


@dataclass
class Cluster:
    """Three primaries, and replicas where they were asked for."""

    primaries: list[Node]
    replicas: list[Node]

    @property
    def nodes(self) -> list[Node]:
        return self.primaries + self.replicas

    @property
    def url(self) -> str:
        return "redis+cluster://" + ",".join(node.address for node in self.primaries)

    async def owner(self, slot: int) -> Node:
        """The primary that serves a slot now."""
        for first, last, primary, *_ in await self._ranges():
            if first <= slot <= last:
                return next(node for node in self.nodes if node.server.port == primary[1])
        raise LookupError(slot)

    async def next_to(self, slot: int) -> Node:
        """A primary that does not have it."""
        owner = await self.owner(slot)
        return self.primaries[(self.primaries.index(owner) + 1) % len(self.primaries)]

    async def move(self, slot: int, target: Node, *, keys_at_a_time: int = 10, pause_s: float = 0.0) -> int:
        """Move a slot as the cluster specification has it; returns the number of keys that it took along."""
        source, moved = await self.owner(slot), 0
        await command(target, "CLUSTER", "SETSLOT", slot, "IMPORTING", source.id)
        await command(source, "CLUSTER", "SETSLOT", slot, "MIGRATING", target.id)
        while keys := await command(source, "CLUSTER", "GETKEYSINSLOT", slot, keys_at_a_time):
            await command(source, "MIGRATE", "127.0.0.1", target.server.port, "", 0, 5000, "KEYS", *keys)
            moved += len(keys)
            await asyncio.sleep(pause_s)
        for node in (target, source, *(one for one in self.primaries if one not in (target, source))):
            await command(node, "CLUSTER", "SETSLOT", slot, "NODE", target.id)
        return moved

    async def reshard(self, source: Node, target: Node, slots: int) -> str:
        """By the tool that people use; returns what it said."""
        tool = shutil.which("redis-cli") or shutil.which("valkey-cli")
        assert tool, "install redis-tools"
        asked = ("reshard", source.address, "--cluster-from", source.id, "--cluster-to", target.id)
        how = ("--cluster-slots", str(slots), "--cluster-yes", "--cluster-pipeline", "1000")
        done = await ran([tool, "--cluster", *asked, *how], within_s=PATIENCE_S)
        assert done.status == 0, done.said
        return done.said

    async def settled(self) -> None:
        """Until every node knows of every other and who has which slots."""
        await until(self._is_settled, 20)

    async def _is_settled(self) -> bool:
        told = [await node.client.cluster("INFO") for node in self.nodes]
        known = str(len(self.nodes))
        return all(info["cluster_state"] == "ok" and info["cluster_known_nodes"] == known for info in told)

    async def _ranges(self) -> Any:
        for node in self.nodes:
            try:
                return await command(node, "CLUSTER", "SLOTS")
            except OSError:
                continue
        raise LookupError("no node answers")


async def command(node: Node, *parts: Any) -> Any:
    """Raw, without redis-py's reading of the reply."""
    connection: Any = await node.client.connection_pool.get_connection()
    try:
        await connection.send_command(*parts)
        return await connection.read_response()
    finally:
        await node.client.connection_pool.release(connection)


@asynccontextmanager
async def three_primaries(
    folder: Path, replicas: Sequence[int] = (0, 0, 0), begins: Sequence[int] = THIRDS
) -> AsyncIterator[Cluster]:
    """``replicas``: how many each of the three has; ``begins``: its first slot."""
    async with AsyncExitStack() as stack:
        nodes = [await _node(stack, folder / f"node-{n}") for n in range(3 + sum(replicas))]
        cluster = Cluster(nodes[:3], nodes[3:])
        first = nodes[0]
        for number, node in enumerate(nodes):
            await command(node, "CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        for number, node in enumerate(cluster.primaries):
            begin, end = (*begins, SLOTS)[number : number + 2]
            await command(node, "CLUSTER", "ADDSLOTSRANGE", begin, end - 1)
        for node in nodes[1:]:
            await command(node, "CLUSTER", "MEET", "127.0.0.1", first.server.port)
        await cluster.settled()
        left = iter(cluster.replicas)
        for primary, count in zip(cluster.primaries, replicas, strict=True):
            for _ in range(count):
                replica = next(left)
                await command(replica, "CLUSTER", "REPLICATE", primary.id)
            await until(lambda primary=primary, count=count: _followed(primary, count), 20)  # type: ignore[misc]
        yield cluster


async def _followed(primary: Node, count: int) -> bool:
    info = await primary.client.info("replication")
    return bool(sum(info.get(f"slave{n}", {}).get("state") == "online" for n in range(count)) == count)


async def _node(stack: AsyncExitStack, folder: Path) -> Node:
    folder.mkdir()
    server = Server(folder, *OPTIONS, *AT_ONCE)
    server.start()
    stack.callback(server.stop)
    client = await stack.enter_async_context(Redis(port=server.port))
    return Node(server, client, (await client.execute_command("CLUSTER MYID")).decode())  # type: ignore[no-untyped-call]
