"""Writes new events, those of each partition in one call. What a partition does not take fails no other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import repeat
from typing import Any

from redis.asyncio import RedisCluster

from dispatcher.model.event import EventDocument
from dispatcher.model.queue import Accepted
from dispatcher.store.keys import queue as keys
from dispatcher.store.redis.scripts import Argument, Client, Run, script

_ACCEPT = script("queue/accept")

Form = Callable[[bytes], bytes]
"""A document in the form that it is stored in: packed, or as it is."""


def as_it_is(document: bytes) -> bytes:
    return document


async def accept_each(
    client: Client, write: Run, documents: Sequence[EventDocument], form: Form
) -> list[Accepted | Exception]:
    """The receipt of each event, or the error in its place. One round trip; raises ``StoreUnavailable`` for all.

    One call for all partitions; in a cluster one for each, since they may be on different nodes. Documents take their
    form one after the other: what packing looks into stays in the processor's caches.
    """

    def arguments(partitions: Sequence[int]) -> Iterator[Argument]:
        for partition in partitions:
            positions = by_partition[partition]
            yield len(positions)
            for i in positions:
                yield from (documents[i].id, texts[i])

    texts = [form(one.text) for one in documents]
    by_partition: dict[int, list[int]] = {}
    for position, one in enumerate(documents):
        by_partition.setdefault(int(one.id[-3:], 16), []).append(position)
    apart = isinstance(client, RedisCluster)
    together = [[partition] for partition in by_partition] if apart else [list(by_partition)] if documents else []
    calls = [
        _ACCEPT.call([keys.own(partition) for partition in partitions], *arguments(partitions))
        for partitions in together
    ]
    receipts: list[Any] = [None] * len(documents)
    for partitions, reply in zip(together, await write(client, calls), strict=True):
        positions = [position for partition in partitions for position in by_partition[partition]]
        for position, receipt in zip(positions, _receipts(reply, [documents[i].id for i in positions]), strict=True):
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
