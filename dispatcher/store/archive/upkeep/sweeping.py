"""Drops segments whose retention has ended, and deletes files that the manifest does not name.

First the manifest forgets a segment, then its file goes: stopped in between, it is an orphan. While the storage lacks
a segment that the manifest names, no orphan is deleted: it may be what is needed.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace

import structlog

from dispatcher.store.archive.archive import Archive
from dispatcher.store.archive.belonging import mismatch
from dispatcher.store.archive.format.entry import Entry, Segment, is_name
from dispatcher.store.archive.format.segment import Altered, entry_of
from dispatcher.store.archive.storage.interface import Storage

ORPHAN_S = 86_400.0
"""Age from which on a file that the manifest does not name is deleted: whoever wrote it has stopped."""

MOST_BYTES = 1 << 30
"""Of a file that is read whole; segments are far smaller."""

log = structlog.get_logger("archive")


async def sweep(archive: Archive, partition: int, generation: int) -> None:
    """One pass over a partition. Raises ``StoreUnavailable``."""
    if await mismatch(archive):
        return
    await _drop_expired(archive, partition, generation)
    segments, ages = await _seen(archive, partition)
    for segment in segments:
        if segment.name not in ages:
            await _adopt_successor(archive, segment, ages)
    segments, ages = await _seen(archive, partition)
    named, replaced = {one.name for one in segments}, {one.entry.replaces for one in segments}
    orphans = [name for name in ages.keys() - named if name in replaced or ages[name] > ORPHAN_S]
    for name in orphans if named <= ages.keys() else ():
        await archive.blocking(archive.storage.delete, f"{partition}/{name}")
        log.info("orphan deleted", partition=partition, name=name)


async def _seen(archive: Archive, partition: int) -> tuple[list[Segment], dict[str, float]]:
    """The files first: one that is written and named meanwhile is no orphan then."""
    ages = await archive.blocking(archive.storage.ages_s, partition, time.time())
    return await archive.manifest.segments([partition]), ages


async def _drop_expired(archive: Archive, partition: int, generation: int) -> None:
    now_ms = archive.now_ms()
    for segment in await archive.manifest.segments([partition]):
        if segment.entry.until_ms <= now_ms and await archive.manifest.forget(generation, segment):
            await archive.blocking(archive.storage.delete, segment.key)


async def _adopt_successor(archive: Archive, lost: Segment, ages: Iterable[str]) -> None:
    """A segment was replaced and deleted, and Redis lost the exchange since: what was written in its place is there."""
    for name in filter(is_name, ages):
        found = Segment(lost.partition, name, lost.entry)
        entry = await archive.blocking(_entry_in, archive.storage, found.key)
        if entry is not None and entry.replaces == lost.name:
            await archive.manifest.exchange(lost, replace(found, entry=entry))
            log.warning("segment taken up whose exchange was lost", partition=lost.partition, name=name)
            return


def _entry_in(storage: Storage, key: str) -> Entry | None:
    try:
        return entry_of(storage.read(key, 0, MOST_BYTES))
    except (FileNotFoundError, Altered):
        return None
