"""Places in the store that hold sealed values, as each room describes its own. Opens, seals and writes nothing.

Whoever seals again goes through all places (``store/reseal/places.py``); a room with sealed values adds its own there.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import orjson
from redis.asyncio import Redis

from dispatcher.store.redis.connection import guarded

Change = Callable[[str, str], str]
"""A sealed value and its context; returns the value to stand in its place."""
Renew = Callable[[bytes, Change], bytes]
"""A record with each of its sealed values replaced by what the change makes of it. Raises for a damaged record."""

_SEALED = re.compile(r"v1\.[0-9a-f]{8}\.[A-Za-z0-9+/]{36,}={0,2}")


def found_in(stored: bytes) -> list[str]:
    """Whatever looks sealed anywhere in a record of JSON, also in fields that only a newer version knows."""
    return list(sealed_texts(orjson.loads(stored)))


def sealed_texts(value: object) -> Iterator[str]:
    """Whatever looks sealed, at any depth."""
    if isinstance(value, str):
        if _SEALED.fullmatch(value):
            yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from sealed_texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from sealed_texts(one)


@dataclass(frozen=True, slots=True)
class SealedRecord:
    """One record as it was read, with all that it takes to seal it again."""

    owner: str
    """Named when one of its values cannot be opened."""
    key: str
    stored: bytes
    renew: Renew
    field: str = ""
    """Of the hash at ``key``; empty = the key itself holds the record."""
    announced: str = ""
    """The message by which caches drop it; empty = none has it."""
    values: Callable[[bytes], list[str]] = found_in


class SealedPlace(Protocol):
    """All records of one kind."""

    @property
    def kind(self) -> str:
        """Plural, as people read it: ``integrations``."""

    async def owners(self) -> list[str]:
        """Ids of all that may have sealed values now."""

    def records(self, owners: Sequence[str]) -> AsyncIterator[SealedRecord]:
        """Every record of some of them that still is there."""


@dataclass(frozen=True, slots=True)
class SealedField:
    """A part of a record of JSON under which every sealed value has one context, made of its owner's id."""

    path: tuple[str, ...]
    context: Callable[[str], str]
    texts: Callable[[Any], Iterable[str]] = sealed_texts
    """All sealed values of that part."""

    def of(self, record: Any) -> Iterable[str]:
        for name in self.path:
            record = record.get(name) if isinstance(record, dict) else None
        return self.texts(record)


@dataclass(frozen=True, slots=True)
class KeyedRecords:
    """A place whose owners have one record of JSON each, under a key of its own."""

    redis: Redis
    kind: str
    ids: Callable[[Redis], Awaitable[list[str]]]
    key: Callable[[str], str]
    name: str
    """Of one: with its id, the message by which caches drop it."""
    fields: tuple[SealedField, ...]

    async def owners(self) -> list[str]:
        with guarded():
            return await self.ids(self.redis)

    async def records(self, owners: Sequence[str]) -> AsyncIterator[SealedRecord]:
        with guarded():
            found = await self.redis.mget([self.key(one) for one in owners])
        for owner, stored in zip(owners, found, strict=True):
            if stored is not None:
                whose = f"{self.name}:{owner}"
                yield SealedRecord(
                    whose, self.key(owner), stored, self._renewal(owner), announced=whose, values=self._values
                )

    def _values(self, record: bytes) -> list[str]:
        parts = orjson.loads(record)
        return [sealed for field in self.fields for sealed in field.of(parts)]

    def _renewal(self, owner: str) -> Renew:
        def renew(record: bytes, change: Change) -> bytes:
            return substituted(record, lambda noted: self._walk(owner, orjson.loads(record), noted), change)

        return renew

    def _walk(self, owner: str, record: Any, change: Change) -> None:
        for field in self.fields:
            for sealed in field.of(record):
                change(sealed, field.context(owner))


def substituted(record: bytes, walk: Callable[[Change], object], change: Change) -> bytes:
    """The record with new values in the place of old ones, and everything else as it is, to the byte.

    ``walk`` hands every sealed value of the record with its context to the change that it is given.
    """
    replaced: dict[str, str] = {}

    def noted(sealed: str, context: str) -> str:
        return replaced.setdefault(sealed, change(sealed, context))

    walk(noted)
    for old, new in replaced.items():
        record = record.replace(old.encode(), new.encode())
    return record
