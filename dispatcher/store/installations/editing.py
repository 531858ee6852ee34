"""Changes of this room: made anew until no other writer came in between. Never decides what to write."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from redis.asyncio import Redis

from dispatcher.errors import Conflict
from dispatcher.store import keys
from dispatcher.store.audit_log.log import Noting
from dispatcher.store.documents.swap import Document, Noted, Operation, publish, swap

TRIES = 32
"""Rounds of read, change and swap before giving up on a record that others keep changing."""


@dataclass(frozen=True, slots=True)
class Change:
    """All of it is written, or nothing. ``announced``: messages to caches, such as ``connector:7``."""

    documents: Sequence[Document]
    operations: Sequence[Operation] = ()
    announced: Sequence[str] = ()
    entries: Sequence[Noted] = ()


async def written(redis: Redis, change: Change, noting: Noting | None = None) -> bool:
    """Whether every document still was what had been read, and so all of it is written."""
    news = [publish(keys.DEFINITIONS_CHANNEL, message) for message in change.announced]
    operations = [*change.operations, *news]
    return await swap(redis, change.documents, operations, noting=noting, entries=change.entries)


async def settled(redis: Redis, make: Callable[[], Awaitable[Change]], what: str, noting: Noting | None = None) -> None:
    """Make the change from what there is, again if another writer was faster. ``Conflict`` after ``TRIES``."""
    for _ in range(TRIES):
        if await written(redis, await make(), noting):
            return
    raise modified(what)


def modified(what: str) -> Conflict:
    return Conflict.of("modified_meanwhile", f"{what} was changed by someone else: read it again, then repeat.")
