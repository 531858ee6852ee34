"""redis-py's cluster client, made to come back after all nodes were away at once. Knows no commands and no keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from redis.asyncio import RedisCluster
from redis.asyncio.cluster import ClusterNode

from dispatcher.store.wire import TcpConnection


class LastingCluster(RedisCluster):
    """Asks its first nodes again whenever it looks for the cluster.

    redis-py forgets each node that does not answer, so that after an outage of all it has nobody left to ask.
    """

    __slots__ = ("_seeds",)
    connection_pool: Any
    """Declared by redis-py's protocol of commands; each node has a pool of its own."""

    def __init__(self, seeds: Sequence[tuple[str, int]], **settings: Any) -> None:
        super().__init__(startup_nodes=[ClusterNode(host, port) for host, port in seeds], **settings)
        self._seeds = tuple(seeds)
        self.connection_kwargs["connection_class"] = TcpConnection
        self.nodes_manager.startup_nodes.clear()

    async def initialize(self) -> LastingCluster:
        """Finds the cluster's nodes, unless they are known."""
        if self._initialize:
            for host, port in self._seeds:
                seed = ClusterNode(host, port, **self.connection_kwargs)
                self.nodes_manager.startup_nodes.setdefault(seed.name, seed)
        await super().initialize()
        return self
