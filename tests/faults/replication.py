"""A master, a replica behind a link that can be cut, and one address for clients that moves to whichever serves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from redis.asyncio import Redis

from dispatcher.store.queue.events import QueueStore
from dispatcher.store.queue.owning.partition import PartitionStore
from dispatcher.store.redis.connection import connect
from tests.faults.deployment import PARTITIONS, Deployment
from tests.faults.processes import Server
from tests.faults.proxy import Proxy
from tests.waiting import until

RETENTION_MS = 3_600_000
AT_ONCE = ("--repl-diskless-sync-delay", "0")


class Address(Proxy):
    """A proxy whose server can be changed while it runs."""

    def point_to(self, port: int) -> None:
        self._target = ("127.0.0.1", port)
        self.cut_all()


@dataclass
class Pair:
    """``link``: how the replica reaches the master; ``front``: how clients reach whichever serves."""

    deployment: Deployment
    replica: Server
    replica_client: Redis
    link: Address
    front: Address

    async def replicating(self) -> None:
        """Until the replica has all that there is."""
        await until(self._caught_up, 20)

    async def _caught_up(self) -> bool:
        info = await self.deployment.redis.info("replication")
        replica = info.get("slave0", {})
        return bool(replica.get("state") == "online" and replica["offset"] == info["master_repl_offset"])

    def cut(self) -> None:
        """The replica hears nothing more of the master, and cannot reach it again."""
        self.link.point_to(1)

    async def promote(self) -> None:
        """The replica serves, and the deployment looks at it."""
        await self.replica_client.replicaof("NO", "ONE")
        made = self.deployment
        made.redis = self.replica_client
        made.queue = QueueStore(made.redis, partitions=PARTITIONS, retention_ms=RETENTION_MS)
        made.store = PartitionStore(
            made.redis, partitions=PARTITIONS, retention_ms=RETENTION_MS, lease_ms=2000, lane_cap=32
        )
        self.front.point_to(self.replica.port)

    async def fail_over(self) -> None:
        """The master dies at once, and what the replica has is all that is left."""
        self.deployment.server.kill()
        await self.promote()

    def restore_key(self) -> None:
        """The old master comes back as a replica."""
        self.deployment.server.options = (*AT_ONCE, "--replicaof", f"127.0.0.1 {self.replica.port}")
        self.deployment.server.start()

    async def change_places(self) -> None:
        """As an operator does it: nothing is written meanwhile, and clients talk to the old master for a while yet."""
        old = self.deployment.redis
        await old.client_pause(5000, all=False)
        await self.replicating()
        await self.replica_client.replicaof("NO", "ONE")
        await old.replicaof("127.0.0.1", str(self.replica.port))
        await old.client_unpause()
        await asyncio.sleep(0.3)
        await self.promote()


@asynccontextmanager
async def replicated(deployment: Deployment) -> AsyncIterator[Pair]:
    """The deployment's server with a replica that follows it."""
    async with AsyncExitStack() as stack:
        link, front = (Address("127.0.0.1", deployment.server.port) for _ in range(2))
        for proxy in (link, front):
            await stack.enter_async_context(proxy)
        folder = deployment.folder / "replica"
        folder.mkdir()
        replica = Server(folder, *AT_ONCE, "--replicaof", f"127.0.0.1 {link.port}")
        await deployment.redis.config_set("repl-diskless-sync-delay", 0)
        replica.start()
        stack.callback(replica.stop)
        client = await stack.enter_async_context(connect(replica.url, client_name="test"))
        pair = Pair(deployment, replica, client, link, front)
        await pair.replicating()
        yield pair
