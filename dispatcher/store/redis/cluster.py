"""redis-py's cluster client, made to come back after all nodes were away at once, and never to send twice.

Knows no commands and no keys.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from redis.asyncio import RedisCluster
from redis.asyncio.cluster import ClusterNode, ClusterPipeline

from dispatcher.store.redis.cancellable import TcpConnection


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

    def pipeline(self, transaction: Any = None, shard_hint: Any = None) -> ClusterPipeline:
        """One that is sent once, as every other command of this client."""
        return SinglePipeline(self)


class SinglePipeline(ClusterPipeline):
    """redis-py sends a pipeline as often as it retries commands: never, when commands are not retried."""

    connection_pool: Any

    async def execute(self, raise_on_error: bool = True, allow_redirections: bool = True) -> list[Any]:
        stack = self._command_stack
        try:
            await self._client.initialize()
            return await self._execute(self._client, stack, raise_on_error, allow_redirections) if stack else []
        except self.ERRORS_ALLOW_RETRY:
            await self._client.aclose()
            raise
        finally:
            self._command_stack = []
