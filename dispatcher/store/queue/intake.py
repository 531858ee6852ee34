"""A Redis stream from which events are taken, by a consumer group; and beside it one for what is no event.

Both are the deployment's own keys, named by whoever emits. Never accepts anything, and never trims either.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from redis.exceptions import ResponseError

from dispatcher.store.redis.connection import guarded
from dispatcher.store.redis.scripts import Client

GROUP = "dispatcher"
MOST_AT_ONCE = 1000
"""Entries that are put back or discarded at a time."""
Fields = Mapping[bytes, bytes]


class Entry(NamedTuple):
    """``fields`` are empty when it was deleted before it was taken."""

    id: str
    fields: Fields


class IntakeStream:
    """``consumer`` is the name of this process in the group. Raises ``StoreUnavailable``."""

    def __init__(self, client: Client, name: str, consumer: str) -> None:
        self._client: Any = client
        self.name = name
        self.poison = f"{name}:poison" if "{" in name else f"{{{name}}}:poison"
        """In the slot of the stream, so that an entry moves in one step."""
        self._consumer = consumer

    async def prepare(self) -> None:
        """Make stream and group where they are not there; a new group begins with the first entry."""
        try:
            with guarded():
                await self._client.xgroup_create(self.name, GROUP, id="0", mkstream=True)
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise

    async def own(self, most: int) -> list[Entry]:
        """Entries that this consumer was handed before and did not acknowledge, oldest first."""
        return await self._read("0", most, None)

    async def new(self, most: int, wait_ms: int) -> list[Entry]:
        """Entries that nobody was handed yet; waits so long for the first."""
        return await self._read(">", most, wait_ms)

    async def adopt(self, most: int, idle_ms: int) -> list[Entry]:
        """Entries that another consumer was handed so long ago that it is gone; this one's from now on."""
        with guarded():
            reply = await self._client.xautoclaim(self.name, GROUP, self._consumer, idle_ms, "0-0", count=most)
        return [_entry(one) for one in reply[1]]

    async def acknowledge(self, ids: Sequence[str]) -> None:
        if ids:
            with guarded():
                await self._client.xack(self.name, GROUP, *ids)

    async def set_aside(self, entry: Entry, reason: str) -> None:
        """Move it to the poison stream with the reason, in one step."""
        pipeline: Any = self._client.pipeline(transaction=True)
        pipeline.xadd(self.poison, {**entry.fields, b"entry": entry.id, b"reason": reason})
        pipeline.xack(self.name, GROUP, entry.id)
        with guarded():
            await pipeline.execute()

    async def aside(self) -> int:
        """Number of entries that are set aside."""
        with guarded():
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
        with guarded():
            found = await self._client.xreadgroup(GROUP, self._consumer, {self.name: after}, count=most, block=wait_ms)
        return [_entry(one) for _, entries in found or () for one in entries]


def _entry(one: tuple[bytes, Fields | None]) -> Entry:
    return Entry(one[0].decode(), one[1] or {})
