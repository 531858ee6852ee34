"""Leases of partitions as they are seen, and their end before their time. Grants and owns nothing.

Invariant: a lease ends early only as it was seen, by generation, owner and time. What follows is the same as after any
lease: a grant, under a newer generation, which the former owner's writes do not carry. So nothing is owned twice, and a
worker that was taken for lost loses its lease, never an event.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from dispatcher.model.lease import Lease
from dispatcher.store.keys import queue as keys
from dispatcher.store.queue.records import text
from dispatcher.store.redis.scripts import Client, each, each_of, script

_END = script("queue/end_lease")


class Leases:
    """All methods raise ``StoreUnavailable`` when Redis did not answer."""

    def __init__(self, client: Client, partitions: int) -> None:
        self._client = client
        self._partitions = partitions

    async def of(self, owners: Collection[str]) -> frozenset[Lease]:
        """Theirs, whether they have run out or not."""
        pipeline: Any = self._client.pipeline(transaction=False)
        for partition in range(self._partitions):
            pipeline.hmget(keys.own(partition), "gen", "owner", "until")
        return frozenset(
            Lease(partition, int(generation), text(owner), int(until))
            for partition, reply in enumerate(await each_of(pipeline))
            if not isinstance(reply, Exception)
            for generation, owner, until in [reply]
            if generation and until and owner and text(owner) in owners
        )

    async def end(self, leases: Iterable[Lease]) -> list[int]:
        """End each that is still as it was seen; returns their partitions."""
        asked = sorted(leases)
        calls = [_END.call([keys.own(one.partition)], one.generation, one.owner, one.until_ms) for one in asked]
        replies = await each(self._client, calls) if calls else []
        return [one.partition for one, ended in zip(asked, replies, strict=True) if ended == 1]
