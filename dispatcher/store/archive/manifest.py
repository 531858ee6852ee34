"""The manifest: the segments of each partition, as Redis says. It is the truth; a file that it has not is nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dispatcher.errors import StoreDamaged, StoreUnavailable
from dispatcher.store.archive.format.archived import ArchivedEvent
from dispatcher.store.archive.format.entry import Entry, Segment
from dispatcher.store.keys import queue as keys
from dispatcher.store.redis.scripts import Argument, Client, each_of, reply_of, script

_MOVE = script("archive/move")
_FORGET = script("archive/forget")
_EXCHANGE = script("archive/exchange")


class Manifest:
    """Entries never change, so each is read once. Raises ``StoreUnavailable``."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._known: dict[int, dict[str, Segment]] = {}

    async def segments(self, partitions: Sequence[int], *, complete: bool = True) -> list[Segment]:
        """All of some partitions, as of now. ``complete``: raises for one that cannot be read, else leaves it out."""
        found: list[Segment] = []
        for partition, names in zip(partitions, await self._names(partitions), strict=True):
            try:
                found += await self._of(partition, names)
            except StoreUnavailable:
                if complete:
                    raise
        return found

    async def move(self, generation: int, segment: Segment, events: Sequence[ArchivedEvent]) -> list[str] | None:
        """Put a segment in the place of its events. None: the generation moved on.

        Ids of events that are not as they were read; then nothing was done.
        """
        arguments: list[Argument] = [generation, segment.name, segment.entry.stored()]
        for event in events:
            arguments += (event.id, str(event.position), event.state, len(event.fields))
        reply = await reply_of(self._client, _MOVE.call(_keys(segment.partition), *arguments))
        return None if reply[0] == b"lost" else [one.decode() for one in reply[1:] if reply[0] == b"changed"]

    async def exchange(self, old: Segment, new: Segment) -> bool:
        """Put a segment in the place of another; False when that is not there as it was read."""
        arguments = (old.name, old.entry.stored(), new.name, new.entry.stored())
        return bool(await reply_of(self._client, _EXCHANGE.call(_keys(old.partition), *arguments)))

    async def forget(self, generation: int, segment: Segment) -> bool:
        """Forget a segment whose events' retention has ended; False: somebody was faster."""
        arguments = (generation, segment.name, segment.entry.stored(), segment.entry.events)
        reply = await reply_of(self._client, _FORGET.call(_keys(segment.partition), *arguments))
        return bool(reply[0] == b"ok")

    async def _names(self, partitions: Sequence[int]) -> list[Any]:
        pipeline: Any = self._client.pipeline(transaction=False)
        for partition in partitions:
            pipeline.hkeys(keys.segments(partition))
        return await each_of(pipeline) if partitions else []

    async def _of(self, partition: int, names: Any) -> list[Segment]:
        known = self._known.get(partition, {})
        while fresh := [name for name in _read(names, partition) if name.decode() not in known]:
            pipeline: Any = self._client.pipeline(transaction=False)
            pipeline.hmget(keys.segments(partition), fresh)
            (entries,) = await each_of(pipeline)
            found = zip(fresh, _read(entries, partition), strict=True)
            known |= {name.decode(): _segment(partition, name, stored) for name, stored in found if stored}
            if None not in entries:
                break
            (names,) = await self._names([partition])  # one was replaced meanwhile
        self._known[partition] = {name.decode(): known[name.decode()] for name in names}
        return list(self._known[partition].values())


def _read(reply: Any, partition: int) -> Any:
    """A reply of Redis that is no error."""
    if isinstance(reply, StoreUnavailable):
        raise reply
    if isinstance(reply, Exception):
        raise _damaged(partition) from reply
    return reply


def _segment(partition: int, name: bytes, stored: bytes) -> Segment:
    try:
        return Segment(partition, name.decode(), Entry.from_stored(stored))
    except (ValueError, LookupError, TypeError) as error:
        raise _damaged(partition) from error


def _damaged(partition: int) -> StoreDamaged:
    name = keys.segments(partition)
    return StoreDamaged(f"the manifest of the archive, {name}, cannot be read; put it back from a backup of Redis")


def _keys(partition: int) -> list[str]:
    return [keys.own(partition), keys.segments(partition)]
