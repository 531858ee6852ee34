"""Strict durability: a write counts only when replicas have it too. Never used unless DISPATCHER_MIN_REPLICAS says so.

``WAIT`` answers for what was written on its own connection, so the script and it go out on one, in one round trip.
Between them stands a write of no meaning: Valkey's ``WAIT`` does not wait for a script that wrote nothing, and a repeat
of an event that is in the master alone writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from redis.exceptions import MovedError

from dispatcher.errors import StoreUnavailable
from dispatcher.store.keys import queue as keys
from dispatcher.store.redis.cancellable import Cancellable
from dispatcher.store.redis.cluster import LastingCluster
from dispatcher.store.redis.connection import guarded
from dispatcher.store.redis.functions import not_begun
from dispatcher.store.redis.scripts import Call, Client, Command, Run, by_itself, each, load_all

WAIT_MS = 1000
"""Time that replicas may take. Well below the time-out of the socket."""


def writing(replicas: int, within_ms: int = WAIT_MS) -> Run:
    """Runs scripts so that ``replicas`` replicas have what they write; 0 = as ever."""
    return Replicated(replicas, within_ms) if replicas else each


@dataclass(frozen=True, slots=True)
class Replicated:
    """Runs scripts and waits for replicas. Repeating it is safe if the scripts are."""

    replicas: int
    within_ms: int

    async def __call__(self, client: Client, calls: Sequence[Call]) -> list[Any]:
        """Every call's reply, in order, an error in its place: ``StoreUnavailable`` also where too few replicas have it
        in time: the master has it, and whether it stays is unknown. Raised when that is what came of every call.
        """
        if not calls:
            return []
        with guarded():
            replies = await self._confirmed(client, calls)
        return by_itself(replies)

    async def _confirmed(self, client: Client, calls: Sequence[Call]) -> list[Any]:
        """A script that Redis forgot, or whose slot is elsewhere, was not begun: it is sent once more."""
        replies = await self._sent(client, calls, Call.by_name)
        moved = (i for i, reply in enumerate(replies) if isinstance(reply, MovedError))
        again = sorted((*not_begun(client, replies), *moved))
        if again:
            await load_all(client)
            for i, reply in zip(again, await self._sent(client, [calls[i] for i in again], Call.by_text), strict=True):
                replies[i] = reply
        return replies

    async def _sent(self, client: Client, calls: Sequence[Call], how: Callable[[Call, Client], Command]) -> list[Any]:
        """The replies to the calls; in the place of one that too few replicas have there is an error."""
        if isinstance(client, LastingCluster):
            return await self._sent_to_nodes(client, calls, how)
        pool: Any = client.connection_pool
        connection: Cancellable = await pool.get_connection()
        try:
            sent = [*(how(call, client) for call in calls), _mark(calls[0]), self._wait]
            *replies, mark, count = await connection.exchange(sent)
        finally:
            await pool.release(connection)
        return [self._judged(reply, mark, count) for reply in replies]

    async def _sent_to_nodes(
        self, client: LastingCluster, calls: Sequence[Call], how: Callable[[Call, Client], Command]
    ) -> list[Any]:
        """One connection for each node. Nothing is sent on to another: its ``WAIT`` would be missing.

        Each call has a write of no meaning of its own: that of a slot that moves is refused.
        """
        await client.initialize()
        nodes = [client.nodes_manager.get_node_from_slot(client.keyslot(call.keys[0])) for call in calls]
        pipeline: Any = client.pipeline()
        for call, node in zip(calls, nodes, strict=True):
            pipeline.execute_command(*how(call, client), target_nodes=node)
            pipeline.execute_command(*_mark(call), target_nodes=node)
        asked = {node.name: node for node in nodes}
        for node in asked.values():
            pipeline.execute_command(*self._wait, target_nodes=node)
        replies: list[Any] = await pipeline.execute(raise_on_error=False, allow_redirections=False)
        client.learn_of(replies)
        counts = dict(zip(asked, replies[2 * len(calls) :], strict=True))
        pairs = zip(replies[: 2 * len(calls) : 2], replies[1 : 2 * len(calls) : 2], nodes, strict=True)
        return [self._judged(reply, mark, counts[node.name]) for reply, mark, node in pairs]

    def _judged(self, reply: Any, mark: Any, count: Any) -> Any:
        """The reply, or the error that stands for it; the success of a write of no meaning says nothing."""
        if isinstance(reply, Exception):
            return reply
        if failed := next((one for one in (mark, count) if isinstance(one, Exception)), None):
            return _not_confirmed(str(failed))
        if int(count) < self.replicas:
            return _not_confirmed(f"{count} of {self.replicas} replicas have the last write (DISPATCHER_MIN_REPLICAS)")
        return reply

    @property
    def _wait(self) -> Command:
        return "WAIT", self.replicas, self.within_ms


def _mark(call: Call) -> Command:
    return "SET", keys.waited(call.keys[0]), "1"


def _not_confirmed(why: str) -> StoreUnavailable:
    return StoreUnavailable(f"{why}; whether it survives a fail-over is unknown, repeating it is safe")
