"""Writes what ended long ago into segments, under the generation of the partition's owner.

Write → read back and compare → one script that names the segment in the manifest and deletes its events, all or none.
Whenever this stops, an event is in Redis or in a segment that the manifest names. A file that it does not name is an
orphan, which ``sweeping`` deletes.
"""

from __future__ import annotations

from typing import NamedTuple

import structlog

from dispatcher.clock import DAY_MS
from dispatcher.errors import ArchiveUnavailable
from dispatcher.store.archive.archive import Archive
from dispatcher.store.archive.belonging import require
from dispatcher.store.archive.format.archived import ArchivedEvent
from dispatcher.store.archive.format.entry import Segment, new_name
from dispatcher.store.archive.format.segment import build
from dispatcher.store.archive.reading.reader import SegmentGone
from dispatcher.store.archive.upkeep.collecting import START, WALKED, collect

log = structlog.get_logger("archive")


class Step(NamedTuple):
    """``archived``: events. ``more``: there may be more to do at once."""

    archived: int = 0
    more: bool = False


class ArchiveWriter:
    """One per worker. Raises ``StoreUnavailable``, as ``ArchiveUnavailable`` when the storage is away or full."""

    def __init__(self, archive: Archive, *, partitions: int, after_ms: int, gather_ms: int = DAY_MS) -> None:
        """``gather_ms``: how long a few events wait for others to share a segment with."""
        self.archive = archive
        self._partitions = partitions
        self._after_ms = after_ms
        self._gather_ms = gather_ms
        self._places: dict[int, str] = {}

    async def step(self, partition: int, generation: int) -> Step:
        """Archive up to a segment of a partition's events."""
        await require(self.archive, self._partitions)
        now_ms = self.archive.now_ms()
        start, until_ms = self._places.get(partition, START), now_ms - self._after_ms
        collected = await collect(self.archive.client, partition, start, until_ms, now_ms)
        self._places[partition] = collected.rest
        more = collected.rest != START
        if not self._is_worth_it(collected.events, until_ms, more=more):
            return Step(more=more)
        return Step(await self._archive(partition, generation, collected.events), more)

    def _is_worth_it(self, events: list[ArchivedEvent], until_ms: int, *, more: bool) -> bool:
        """Enough for a segment, or one that has waited for long enough."""
        if not events:
            return False
        return (more and len(events) > WALKED // 2) or events[0].position.ms <= until_ms - self._gather_ms

    async def _archive(self, partition: int, generation: int, events: list[ArchivedEvent]) -> int:
        """The number of events that were dropped from Redis."""
        segment = await self.archive.blocking(self._written, partition, events)
        changed = await self.archive.manifest.move(generation, segment, events)
        if changed is None:
            return 0
        if changed:
            log.info("events changed while they were archived; they stay", partition=partition, events=changed[:10])
            return 0
        return len(events)

    def _written(self, partition: int, events: list[ArchivedEvent]) -> Segment:
        """The segment, once what was read back is what was written."""
        content, entry = build(events)
        segment = Segment(partition, new_name(entry), entry)
        self.archive.storage.write(segment.key, content)
        try:
            self.archive.reader.check(segment)
        except SegmentGone:
            label = self.archive.storage.words.label
            raise ArchiveUnavailable(f"the archive {label} does not keep what is written") from None
        return segment
