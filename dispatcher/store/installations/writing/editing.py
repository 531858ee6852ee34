"""Changes of this room: what is read for one is compared when it is written, so that it is one step or none.

Never decides what to write.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from redis.asyncio import Redis

from dispatcher.errors import Conflict
from dispatcher.store.audit_log.log import Noting
from dispatcher.store.documents.swap import Document, Noted, Operation, publish, swap
from dispatcher.store.installations.writing.records import read, write
from dispatcher.store.keys import definitions as keys
from dispatcher.store.redis.connection import guarded

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
R = TypeVar("R")

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
    """True when every document still was what had been read, and so all of it is written."""
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


@dataclass(frozen=True, slots=True)
class Place(Generic[T_co]):
    """The place of records of one type. ``kind`` and ``id`` name it in the audit log; an index has no kind."""

    record: Any
    key: str
    field: str = ""
    kind: str = ""
    id: str = ""
    kept_ms: int | None = None

    def read(self, stored: bytes) -> T_co:
        return cast("T_co", read(self.record, stored))


class Transaction:
    """Everything that one change has read, and what it makes of it. What was read is compared when it is committed."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._before: dict[Place[Any], bytes] = {}
        self._after: dict[Place[Any], bytes] = {}
        self._operations: list[Operation] = []
        self._announced: list[str] = []

    async def read(self, place: Place[T]) -> T | None:
        """The record, as this change has made it so far; None = there is none."""
        if place not in self._before:
            self._before[place] = await stored_at(self._redis, place)
        stored = self._after.get(place, self._before[place])
        return place.read(stored) if stored else None

    def write(self, place: Place[T], value: T | None) -> None:
        """Put ``value`` there, None = nothing. A place that was not read has to be empty."""
        before = self._before.setdefault(place, b"")
        self._after[place] = b"" if value is None else write(value, before)

    def write_raw(self, document: Document) -> None:
        """A document of another room, read and made by its own rules."""
        place: Place[Any] = Place(bytes, document.key, document.field)
        self._before[place], self._after[place] = document.before, document.after

    def operate(self, *operations: Operation) -> None:
        self._operations += operations

    def announce(self, *messages: str) -> None:
        """Notify caches, if and only if the change is made."""
        self._announced += messages

    async def commit(self, noting: Noting | None = None) -> bool:
        """True if all of it is written; False = something of what was read has changed since."""
        documents, entries, kept = [], [], []
        for place, before in self._before.items():
            document = Document(place.key, before, self._after.get(place, before), place.field)
            documents.append(document)
            if place.kind and document.after != before:
                entries.append(Noted(place.kind, place.id, document))
            if place.kept_ms is not None and document.after:
                kept.append(Operation("PEXPIRE", place.key, (place.kept_ms,)))
        change = Change(documents, [*self._operations, *kept], self._announced, entries)
        return await written(self._redis, change, noting)


async def transacted(
    redis: Redis, work: Callable[[Transaction], Awaitable[R]], what: str, noting: Noting | None = None
) -> R:
    """Do ``work``, from the beginning if another writer was faster. ``Conflict`` after ``TRIES``."""
    for _ in range(TRIES):
        transaction = Transaction(redis)
        result = await work(transaction)
        if await transaction.commit(noting):
            return result
    raise modified(what)


async def stored_at(redis: Redis, place: Place[Any]) -> bytes:
    """The record's bytes; empty = there is none."""
    with guarded():
        if place.field:
            found = await cast("Awaitable[bytes | None]", redis.hget(place.key, place.field))
        else:
            found = await redis.get(place.key)
    return bytes(found or b"")
