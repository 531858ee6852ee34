"""Writes new events, those of each partition in one call. What a partition does not take fails no other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import repeat
from typing import Any

from redis.asyncio import RedisCluster

from dispatcher.model.event import Event
from dispatcher.model.queue import Accepted
from dispatcher.store.keys import queue as keys
from dispatcher.store.packing.documents import packed
from dispatcher.store.redis.scripts import Argument, Client, Run, script

_ACCEPT = script("queue/accept")

Documents = Callable[[Sequence[Event]], Sequence[bytes]]
"""Events in the form that they are stored in."""


def plain_documents(events: Sequence[Event]) -> list[bytes]:
    return [event.stored() for event in events]


def packed_documents(events: Sequence[Event]) -> list[bytes]:
    """One step after the other: what each of them looks into stays in the processor's caches."""
    return [packed(document) for document in plain_documents(events)]


async def accept_each(
    client: Client, write: Run, events: Sequence[Event], documents_of: Documents
) -> list[Accepted | Exception]:
    """The receipt of each event, or the error in its place. One round trip; raises ``StoreUnavailable`` for all.

    One call for all partitions; in a cluster one for each, since they may be on different nodes.
    """

    def arguments(partitions: Sequence[int]) -> Iterator[Argument]:
        for partition in partitions:
            positions = by_partition[partition]
            yield len(positions)
            for i in positions:
                yield from (events[i].id, documents[i])

    documents = documents_of(events)
    by_partition: dict[int, list[int]] = {}
    for position, event in enumerate(events):
        by_partition.setdefault(int(event.id[-3:], 16), []).append(position)
    apart = isinstance(client, RedisCluster)
    together = [[partition] for partition in by_partition] if apart else [list(by_partition)] if events else []
    calls = [
        _ACCEPT.call([keys.own(partition) for partition in partitions], *arguments(partitions))
        for partitions in together
    ]
    receipts: list[Any] = [None] * len(events)
    for partitions, reply in zip(together, await write(client, calls), strict=True):
        positions = [position for partition in partitions for position in by_partition[partition]]
        for position, receipt in zip(positions, _receipts(reply, [events[i].id for i in positions]), strict=True):
            receipts[position] = receipt
    return receipts


def _receipts(reply: Any, ids: Sequence[str]) -> Iterator[Accepted | Exception]:
    """A reply's word on each event of its call, or the error that it is."""
    if isinstance(reply, Exception):
        yield from repeat(reply, len(ids))
        return
    fields = iter(reply)
    for event_id, sequence, created_ms, seen in zip(ids, fields, fields, fields, strict=True):
        yield Accepted(event_id, int(sequence), int(created_ms), bool(seen))
