"""The archive as its users see it: one storage, one manifest, and a few threads that read and unpack.

Whoever looks for an event in Redis and in the archive asks Redis first, the manifest next, and then the storage: an
event that moves meanwhile is found where it went.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import ParamSpec, TypeVar

from dispatcher.daemon_threads import DaemonThreads
from dispatcher.errors import ArchiveUnavailable
from dispatcher.ids import event_ms
from dispatcher.policy.bucket import Bucket
from dispatcher.store.archive.format.archived import ArchivedEvent
from dispatcher.store.archive.format.entry import Segment
from dispatcher.store.archive.manifest import Manifest
from dispatcher.store.archive.reading.reader import SegmentGone, SegmentReader, away, lost
from dispatcher.store.archive.reading.search import Found, Wanted, count, search
from dispatcher.store.archive.storage.interface import Storage
from dispatcher.store.archive.storage.places import storage_at
from dispatcher.store.redis.scripts import Client

THREADS = 4
"""Segments that are read and unpacked at a time, in one process."""
WITHIN_S = 10.0
"""Longest time that anybody waits for the storage."""
_TIMES = 5
"""Times that a segment may be replaced while it is looked for."""

Walk = Callable[[SegmentReader, Sequence[Segment], Wanted], Found]

P = ParamSpec("P")
T = TypeVar("T")


class Archive:
    """One per process. Raises ``StoreUnavailable``: as ``ArchiveUnavailable`` when the storage is away, as
    ``StoreDamaged`` when what it holds is not what was written."""

    def __init__(self, client: Client, storage: Storage, now_ms: Callable[[], int]) -> None:
        self.client = client
        self.storage = storage
        self.manifest = Manifest(client)
        self.reader = SegmentReader(storage)
        self.now_ms = now_ms
        self.rewriting = asyncio.Lock()
        """Of this process: what many expunge at once in one segment is written one after the other."""
        self._threads = DaemonThreads(THREADS, "archive")

    async def blocking(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do in a thread what blocks; an ``OSError`` of the storage is named. What takes too long goes on unheeded."""
        try:
            async with asyncio.timeout(WITHIN_S):
                return await self._threads.run(lambda: work(*args, **kwargs))
        except TimeoutError as error:
            words = self.storage.words
            text = f"the archive {words.label} does not answer within {WITHIN_S:.0f} s; {words.remedy}"
            raise ArchiveUnavailable(text) from error
        except OSError as error:
            raise away(self.storage, error) from error

    async def reading(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do what reads the manifest and then the storage; once more when a segment was replaced in between."""
        gone: Segment | None = None
        for _ in range(_TIMES):
            try:
                return await work()
            except SegmentGone as missed:
                if missed.segment == gone:
                    break
                gone = missed.segment
        assert gone is not None
        raise lost(self.storage, gone)

    async def find(self, event_ids: Sequence[str]) -> dict[str, ArchivedEvent]:
        """Those of some events that are archived, and whose retention goes on."""
        located = await self.locate(event_ids)
        return {event_id: event for event_id, (_, event) in located.items()}

    async def locate(self, event_ids: Sequence[str]) -> dict[str, tuple[Segment, ArchivedEvent]]:
        """The same with the segments that they are in."""
        partitions = sorted({int(one[-3:], 16) for one in event_ids})
        now_ms = self.now_ms()

        async def look() -> dict[str, tuple[Segment, ArchivedEvent]]:
            segments = await self.manifest.segments(partitions)
            return await self.blocking(self._found, segments, event_ids)

        found = await self.reading(look)
        return {event_id: one for event_id, one in found.items() if one[1].expires_ms > now_ms}

    async def search(self, partitions: Sequence[int], wanted: Wanted, *, complete: bool = True) -> Found:
        """Events that meet a filter. ``complete``: raises for a partition that Redis does not tell of."""
        return await self._walked(search, partitions, wanted, complete=complete)

    async def count(self, partitions: Sequence[int], wanted: Wanted) -> Found:
        return await self._walked(count, partitions, wanted, complete=True)

    async def _walked(self, walk: Walk, partitions: Sequence[int], wanted: Wanted, *, complete: bool) -> Found:
        async def look() -> Found:
            segments = await self.manifest.segments(partitions, complete=complete)
            return await self.blocking(walk, self.reader, segments, wanted) if segments else Found()

        return await self.reading(look)

    def _found(self, segments: Sequence[Segment], event_ids: Sequence[str]) -> dict[str, tuple[Segment, ArchivedEvent]]:
        found = {}
        for event_id in event_ids:
            for segment in _that_may_have(segments, event_id):
                if event := self.reader.event(segment, event_id):
                    found[event_id] = segment, event
                    break
        return found


def archive_in(place: Path | Bucket | None, client: Client, now_ms: Callable[[], int]) -> Archive | None:
    """The archive in a folder or a bucket; None = there is none. Raises ``ConfigurationError``."""
    if place is None:
        return None
    return Archive(client, storage_at(place), now_ms)


def _that_may_have(segments: Sequence[Segment], event_id: str) -> list[Segment]:
    partition, made_ms = int(event_id[-3:], 16), event_ms(event_id)
    return [one for one in segments if one.partition == partition and one.entry.made[0] <= made_ms <= one.entry.made[1]]
