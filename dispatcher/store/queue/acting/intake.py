"""A Redis stream from which events are taken, by a consumer group; and beside it one for what is no event.

Both are the deployment's own keys, named by whoever emits. Never accepts anything, and never trims either.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from redis.exceptions import ResponseError

from dispatcher.errors import ConfigurationError, StoreUnavailable
from dispatcher.store.redis.connection import guarded
from dispatcher.store.redis.scripts import Client

GROUP = "dispatcher"
FORGOTTEN_MS = 86_400_000
MOST_FIELDS, MOST_NAME_BYTES, MOST_FIELD_BYTES = 64, 256, 1024 * 1024
"""Of an entry that is set aside: whatever is larger was no event, and the entry itself stays in its stream."""
MOST_AT_ONCE = 1000
"""Entries that are put back or discarded at a time."""
Fields = Mapping[bytes, bytes]
_TAG = re.compile(r"^[^{]*\{[^}]+\}")


class Entry(NamedTuple):
    """``fields`` are empty when it was deleted before it was taken."""

    id: str
    fields: Fields


class IntakeStream:
    """``consumer`` is the name of this process in the group. Raises ``StoreUnavailable``."""

    def __init__(self, client: Client, name: str, consumer: str) -> None:
        self._client: Any = client
        self.name = name
        self.poison = poison_of(name)
        self._consumer = consumer

    async def prepare(self) -> None:
        """Make stream and group where they are not there; a new group begins with the first entry.

        Raises ConfigurationError where a key is no stream: later, an entry would be acknowledged and not set aside.
        """
        try:
            with _guarded(self.name):
                await self._client.xgroup_create(self.name, GROUP, id="0", mkstream=True)
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise
        await self.aside()
        await self._forget_others()

    async def own(self, most: int) -> list[Entry]:
        """Entries that this consumer was handed before and did not acknowledge, oldest first."""
        return await self._read("0", most, None)

    async def new(self, most: int, wait_ms: int) -> list[Entry]:
        """Entries that nobody was handed yet; waits so long for the first."""
        return await self._read(">", most, wait_ms)

    async def adopt(self, most: int, idle_ms: int) -> list[Entry]:
        """Entries that another consumer was handed so long ago that it is gone; this one's from now on.

        Redis looks at a few at a time, and what others hold rightly may come first.
        """
        cursor = b"0-0"
        entries: list[Entry] = []
        while not entries:
            with _guarded(self.name):
                reply = await self._client.xautoclaim(self.name, GROUP, self._consumer, idle_ms, cursor, count=most)
            cursor, entries = reply[0], [_entry(one) for one in reply[1]]
            if cursor == b"0-0":
                break
        return entries

    async def acknowledge(self, ids: Sequence[str]) -> None:
        if ids:
            with _guarded(self.name):
                await self._client.xack(self.name, GROUP, *ids)

    async def set_aside(self, entry: Entry, reason: str) -> None:
        """Move it to the poison stream with the reason, in one step; what is beyond bounds of it is cut off."""
        pipeline: Any = self._client.pipeline(transaction=True)
        pipeline.xadd(self.poison, {**_bounded(entry.fields), b"entry": entry.id, b"reason": reason})
        pipeline.xack(self.name, GROUP, entry.id)
        with _guarded(self.poison):
            await pipeline.execute()

    async def aside(self) -> int:
        """Number of entries that are set aside."""
        with _guarded(self.poison):
            return int(await self._client.xlen(self.poison))

    async def put_back(self) -> int:
        """Add what is set aside now to the stream again, oldest first, each in one step. Returns how many."""
        entries = await self._all_aside()
        for entry in entries:
            fields = {name: value for name, value in entry.fields.items() if name not in (b"entry", b"reason")}
            pipeline: Any = self._client.pipeline(transaction=True)
            pipeline.xadd(self.name, fields or {b"event": b""})
            pipeline.xdel(self.poison, entry.id)
            with guarded():
                await pipeline.execute()
        return len(entries)

    async def discard(self) -> int:
        """Delete what is set aside now. Returns how many."""
        entries = await self._all_aside()
        for entry in entries:
            with guarded():
                await self._client.xdel(self.poison, entry.id)
        return len(entries)

    async def _all_aside(self) -> list[Entry]:
        with guarded():
            found = await self._client.xrange(self.poison, count=MOST_AT_ONCE)
        return [_entry(one) for one in found]

    async def poisoned(self, most: int) -> list[Entry]:
        """Entries that were set aside, newest first."""
        with guarded():
            found = await self._client.xrevrange(self.poison, count=most)
        return [_entry(one) for one in found]

    async def _read(self, after: str, most: int, wait_ms: int | None) -> list[Entry]:
        with _guarded(self.name):
            found = await self._client.xreadgroup(GROUP, self._consumer, {self.name: after}, count=most, block=wait_ms)
        return [_entry(one) for _, entries in found or () for one in entries]

    async def _forget_others(self) -> None:
        """Consumers that hold nothing and were not heard of for a day: each start of a process adds a name."""
        with _guarded(self.name):
            consumers = await self._client.xinfo_consumers(self.name, GROUP)
            for one in consumers:
                if not one["pending"] and one["idle"] > FORGOTTEN_MS:
                    await self._client.xgroup_delconsumer(self.name, GROUP, one["name"])


def poison_of(name: str) -> str:
    """In the slot of the stream, so that an entry moves in one step.

    Raises ConfigurationError for a name that a cluster would put elsewhere.
    """
    if _TAG.search(name):
        return f"{name}:poison"
    if "}" in name:
        raise ConfigurationError(f"the stream {name!r} has a brace without a hash tag: give it another name")
    return f"{{{name}}}:poison"


@contextmanager
def _guarded(key: str) -> Iterator[None]:
    """Raises ConfigurationError for a key that is no stream, StoreUnavailable also where the group is gone."""
    try:
        with guarded():
            yield
    except ResponseError as error:
        if "WRONGTYPE" in str(error):
            raise ConfigurationError(f"{key} is a key of Redis that is no stream: give another name") from error
        if "NOGROUP" in str(error):
            raise StoreUnavailable(f"{key} or its group {GROUP} was deleted; it is made again") from error
        raise


def _bounded(fields: Fields) -> Fields:
    """At most ``MOST_FIELDS``, the event and its key first, each of ``MOST_FIELD_BYTES``."""
    known = [(name, fields[name]) for name in (b"event", b"key") if name in fields]
    others = [(name, value) for name, value in fields.items() if name not in (b"event", b"key")]
    return {name[:MOST_NAME_BYTES]: value[:MOST_FIELD_BYTES] for name, value in [*known, *others][:MOST_FIELDS]}


def _entry(one: tuple[bytes, Fields | None]) -> Entry:
    return Entry(one[0].decode(), one[1] or {})
