"""redis-py's cluster client, made to ask each node apart, never to send twice, and to come back after an outage.

redis-py closes the connections to every node when one does not answer, or slots move, and begins again; whatever was on
its way is lost then. Here a node that is away costs what was asked of it. Knows no commands and no keys.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Sequence
from typing import Any, cast

from redis.asyncio import RedisCluster
from redis.asyncio.cluster import ClusterNode, ClusterPipeline, PipelineCommand
from redis.cluster import PRIMARY, REPLICA
from redis.exceptions import AskError, ClusterDownError, MovedError
from redis.exceptions import ConnectionError as Unreachable
from redis.exceptions import TimeoutError as TooSlow

from dispatcher.store.redis.cancellable import TcpConnection

REDIRECTIONS = 2
"""A slot that moves on while it is followed is no longer followed: whoever asked asks again."""
RENEWED_AT_MOST_S = 0.2
"""Between two looks at who has which slots."""

_AWAY = (Unreachable, TooSlow, OSError)
_OF_REDIS_PY = {"keys", "NEVER_DECODE", "EMPTY_RESPONSE"}
"""Options of a command that are redis-py's own, not those of its reply's reader."""


class LastingCluster(RedisCluster):
    """Asks its first nodes again whenever it looks for the cluster.

    redis-py forgets each node that does not answer, so that after an outage of all it has nobody left to ask.
    """

    __slots__ = ("_renewed_at", "_renewing", "_seeds")
    connection_pool: Any
    """Declared by redis-py's protocol of commands; each node has a pool of its own."""

    def __init__(self, seeds: Sequence[tuple[str, int]], **settings: Any) -> None:
        super().__init__(startup_nodes=[ClusterNode(host, port) for host, port in seeds], **settings)
        self._seeds = tuple(seeds)
        self._renewed_at = float("-inf")
        self._renewing: asyncio.Task[None] | None = None
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
        """One that is sent once, to each node apart."""
        return Apart(self)

    async def publish(self, channel: str, message: str) -> int:
        """Through any node, which passes it on to all others; redis-py's cluster has no such method."""
        return int(await self.execute_command("PUBLISH", channel, message, target_nodes=self.RANDOM))

    async def send(self, node: ClusterNode, commands: Sequence[PipelineCommand], *, asking: bool = False) -> None:
        """Has the node answer each: ``result`` is its reply, or the error that stands for it."""
        before: list[tuple[Any, ...]] = [("ASKING",)] if asking else []
        every = [one for command in commands for one in (*before, command.args)]
        try:
            replies = await _exchange(node, every)
        except _AWAY as error:
            await self._renew(node)
            replies = [error] * len(every)
        for command, reply in zip(commands, replies[len(before) :: len(before) + 1], strict=True):
            command.result = _read(node, command, reply)
        if any(isinstance(command.result, ClusterDownError) for command in commands):
            await self._renew(node)

    async def aclose(self) -> None:
        """Close every connection; what is sent afterwards begins with its first nodes."""
        if self._renewing is not None and self._renewing is not asyncio.current_task():
            self._renewing.cancel()
        await super().aclose()

    def node_name(self, slot: int) -> str:
        """The node that has a slot, as far as is known; empty = nothing is."""
        nodes = self.nodes_manager.slots_cache.get(slot)
        return nodes[0].name if nodes else ""

    async def _determine_slot(self, command: str, *args: Any) -> int:
        """That of a function by its keys, as of a script; redis-py asks a node for them each time."""
        return int(await super()._determine_slot("EVALSHA" if command == "FCALL" else command, *args))

    async def target(self, command: PipelineCommand) -> ClusterNode:
        """The node to ask first."""
        given = command.kwargs.pop("target_nodes", None)
        nodes = self._parse_target_nodes(given) if given else await self._determine_nodes(*command.args)
        return nodes[0]

    def follow(self, command: PipelineCommand, *, asking: bool) -> ClusterNode | None:
        """The node that a reply names in its place; None = it is an answer. ``asking``: it names one for this once."""
        moved = command.result
        if not isinstance(moved, AskError) or isinstance(moved, MovedError) is asking:
            return None
        node = self._node(moved.host, moved.port)
        if not asking:
            self.nodes_manager.slots_cache[moved.slot_id] = [node]
        return node

    def learn_of(self, replies: Sequence[Any]) -> None:
        """Remember what replies say of slots that are elsewhere."""
        for reply in replies:
            if isinstance(reply, MovedError):
                self.nodes_manager.slots_cache[reply.slot_id] = [self._node(reply.host, reply.port)]

    async def _execute_command(self, target_node: ClusterNode, *args: Any, **kwargs: Any) -> Any:
        command = PipelineCommand(0, *args, **kwargs)
        await self.send(target_node, [command])
        await self.send_on([command])
        if isinstance(command.result, Exception):
            raise command.result
        return command.result

    async def send_on(self, commands: Sequence[PipelineCommand]) -> None:
        """Ask again, in order, where those whose slot is elsewhere were sent to. None of them was run yet."""
        for _ in range(REDIRECTIONS):
            if not any(isinstance(command.result, AskError) for command in commands):
                return
            for asking in (False, True):
                found = [(self.follow(command, asking=asking), command) for command in commands]
                await self.send_to_each(((node, command) for node, command in found if node), asking=asking)

    async def send_to_each(self, sent: Iterable[tuple[ClusterNode, PipelineCommand]], *, asking: bool = False) -> None:
        """To every node at the same time; of one node in order."""
        of_node: dict[str, tuple[ClusterNode, list[PipelineCommand]]] = {}
        for node, command in sent:
            of_node.setdefault(node.name, (node, []))[1].append(command)
        await asyncio.gather(*(self.send(node, mine, asking=asking) for node, mine in of_node.values()))

    def _node(self, host: str, port: int) -> ClusterNode:
        made = ClusterNode(host, port, PRIMARY, **self.connection_kwargs)
        return self.nodes_manager.nodes_cache.setdefault(made.name, made)

    async def _renew(self, failed: ClusterNode) -> None:
        """Learn anew who has which slots, from whoever answers; one look for all who ask at the same time."""
        if self._renewing is None or self._renewing.done():
            now = asyncio.get_running_loop().time()
            if now - self._renewed_at < RENEWED_AT_MOST_S:
                return
            self._renewed_at = now
            self._renewing = asyncio.create_task(self._look(failed))
        await asyncio.wait([self._renewing])

    async def _look(self, failed: ClusterNode) -> None:
        for node in sorted(self.nodes_manager.nodes_cache.values(), key=lambda node: node.name == failed.name):
            with contextlib.suppress(*_AWAY):
                (ranges,) = await _exchange(node, [("CLUSTER", "SLOTS")])
                if isinstance(ranges, list) and ranges:
                    self._learn(ranges, node)
                    return
        await self.aclose()  # nobody answers: its first nodes are asked the next time

    def _learn(self, ranges: list[Any], told_by: ClusterNode) -> None:
        """Connections to nodes that are known stay as they are."""
        manager = self.nodes_manager
        primaries = set()
        for first, last, *nodes in ranges:
            primary, *replicas = [self._node(host.decode() or told_by.host, port) for host, port, *_ in nodes]
            primaries.add(primary.name)
            manager.slots_cache.update({slot: [primary, *replicas] for slot in range(first, last + 1)})
        for node in manager.nodes_cache.values():
            node.server_type = PRIMARY if node.name in primaries else REPLICA
        if told_by.name in primaries:
            manager.default_node = told_by


class Apart(ClusterPipeline):
    """Sends to each node at the same time. What one does not answer, or a slot that moves, is an error in its place."""

    connection_pool: Any

    async def execute(self, raise_on_error: bool = True, allow_redirections: bool = True) -> list[Any]:
        commands, self._command_stack = self._command_stack, []
        client = cast("LastingCluster", self._client)
        if not commands:
            return []
        await client.initialize()
        await client.send_to_each([(await client.target(command), command) for command in commands])
        if allow_redirections:
            await client.send_on(commands)
        results = [command.result for command in commands]
        if raise_on_error and (failed := next((one for one in results if isinstance(one, Exception)), None)):
            raise failed
        return results


async def _exchange(node: ClusterNode, commands: Sequence[Sequence[Any]]) -> list[Any]:
    connection: Any = node.acquire_connection()
    try:
        return cast("list[Any]", await connection.exchange(commands))
    finally:
        node._free.append(connection)  # noqa: SLF001 - nothing public gives it back


def _read(node: ClusterNode, command: PipelineCommand, reply: Any) -> Any:
    reader = node.response_callbacks.get(command.args[0])
    if reader is None or isinstance(reply, Exception):
        return reply
    return reader(reply, **{name: value for name, value in command.kwargs.items() if name not in _OF_REDIS_PY})
