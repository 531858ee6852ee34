"""Strict durability: a write counts only when replicas have it too. Never used unless DISPATCHER_MIN_REPLICAS says so.

``WAIT`` answers for what was written on its own connection, so the script and it go out on one, in one round trip.
Between them stands a write of no meaning: Valkey's ``WAIT`` does not wait for a script that wrote nothing, and a repeat
of an event that is in the master alone writes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from redis.asyncio import RedisCluster
from redis.exceptions import AskError, NoScriptError, ResponseError

from dispatcher.errors import StoreUnavailable
from dispatcher.store import keys
from dispatcher.store.redis.cancellable import Cancellable
from dispatcher.store.redis.connection import guarded
from dispatcher.store.redis.scripts import Call, Client, Command, Run, load_all, run

WAIT_MS = 1000
"""Time that replicas may take. Well below the time-out of the socket."""


def writing(replicas: int, within_ms: int = WAIT_MS) -> Run:
    """Runs scripts so that ``replicas`` replicas have what they write; 0 = as ever."""
    return Replicated(replicas, within_ms) if replicas else run


@dataclass(frozen=True, slots=True)
class Replicated:
    """Runs scripts and waits for replicas. Repeating it is safe if the scripts are."""

    replicas: int
    within_ms: int

    async def __call__(self, client: Client, calls: Sequence[Call]) -> list[Any]:
        """Every call's reply, in order. Raises the first that is an error, and ``StoreUnavailable`` when too few
        replicas have it in time: the master has it, and whether it stays is unknown.
        """
        if not calls:
            return []
        with guarded():
            return await self._confirmed(client, calls)

    async def _confirmed(self, client: Client, calls: Sequence[Call]) -> list[Any]:
        replies = await self._sent(client, [call.by_sha() for call in calls], calls)
        if any(isinstance(reply, NoScriptError) for reply in replies):
            await load_all(client)
            replies = await self._sent(client, [call.by_text() for call in calls], calls)
        for reply in replies:
            if isinstance(reply, AskError):  # also MovedError: what was waited for is elsewhere
                await client.aclose()
                raise StoreUnavailable(f"the cluster is being changed ({reply}); repeat it")
            if isinstance(reply, ResponseError):
                raise reply
        reached = min(int(count) for count in replies[len(calls) :])
        if reached < self.replicas:
            raise StoreUnavailable(
                f"{reached} of {self.replicas} replicas have the last write (DISPATCHER_MIN_REPLICAS); "
                "whether it survives a fail-over is unknown, repeating it is safe"
            )
        return replies[: len(calls)]

    async def _sent(self, client: Client, commands: Sequence[Command], calls: Sequence[Call]) -> list[Any]:
        """The replies to the calls, then the number of replicas, of each node asked."""
        if isinstance(client, RedisCluster):
            return await self._sent_to_nodes(client, commands, calls)
        confirming = self._confirming(calls[0].keys[0])
        pool: Any = client.connection_pool
        connection: Cancellable = await pool.get_connection()
        try:
            replies = await connection.exchange([*commands, *confirming])
        finally:
            await pool.release(connection)
        return _without_marks(replies, len(commands))

    async def _sent_to_nodes(
        self, client: RedisCluster, commands: Sequence[Command], calls: Sequence[Call]
    ) -> list[Any]:
        """One connection for each node. Nothing is sent on to another: its ``WAIT`` would be missing."""
        await client.initialize()
        nodes = {node.name: (node, call.keys[0]) for call in calls if (node := client.get_node_from_key(call.keys[0]))}
        pipeline: Any = client.pipeline()
        for command in commands:
            pipeline.execute_command(*command)
        for node, key in nodes.values():
            for command in self._confirming(key):
                pipeline.execute_command(*command, target_nodes=node)
        replies: list[Any] = await pipeline.execute(raise_on_error=False, allow_redirections=False)
        for reply in replies:
            if isinstance(reply, Exception) and not isinstance(reply, ResponseError):
                raise reply
        return _without_marks(replies, len(commands))

    def _confirming(self, key: str) -> tuple[Command, ...]:
        return ("SET", keys.waited(key), "1"), ("WAIT", self.replicas, self.within_ms)


def _without_marks(replies: list[Any], calls: int) -> list[Any]:
    """An error in the place of a write of no meaning counts; its success says nothing."""
    marks, counts = replies[calls::2], replies[calls + 1 :: 2]
    pairs = zip(marks, counts, strict=True)
    return [*replies[:calls], *(mark if isinstance(mark, ResponseError) else count for mark, count in pairs)]
