"""The manifest: the segments of each partition, as Redis says. It is the truth; a file that it has not is nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dispatcher.store import keys
from dispatcher.store.archive.archived import ArchivedEvent
from dispatcher.store.archive.entry import Entry, Segment
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
            if isinstance(names, Exception):
                if complete:
                    raise names
                continue
            found += await self._of(partition, [name.decode() for name in names])
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

    async def _of(self, partition: int, names: list[str]) -> list[Segment]:
        known = self._known.get(partition, {})
        while fresh := [name for name in names if name not in known]:
            entries = await self._entries(partition, fresh)
            found = zip(fresh, entries, strict=True)
            known |= {name: Segment(partition, name, Entry.from_stored(stored)) for name, stored in found if stored}
            if None not in entries:
                break
            names = [name.decode() for name in (await self._names([partition]))[0]]  # one was replaced meanwhile
        self._known[partition] = {name: known[name] for name in names}
        return list(self._known[partition].values())

    async def _entries(self, partition: int, names: Sequence[str]) -> list[bytes | None]:
        pipeline: Any = self._client.pipeline(transaction=False)
        pipeline.hmget(keys.segments(partition), names)
        (entries,) = await each_of(pipeline)
        if isinstance(entries, Exception):
            raise entries
        return list(entries)


def _keys(partition: int) -> list[str]:
    return [keys.own(partition), keys.segments(partition)]
