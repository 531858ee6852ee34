"""Drops segments whose retention has ended, and deletes files that the manifest does not name.

First the manifest forgets a segment, then its file goes: stopped in between, it is an orphan.
"""

from __future__ import annotations

import time

import structlog

from dispatcher.store.archive.archive import Archive
from dispatcher.store.archive.belonging import mismatch
from dispatcher.store.archive.entry import Segment

ORPHAN_S = 86_400.0
"""Age from which on a file that the manifest does not name is deleted: whoever wrote it has stopped."""

log = structlog.get_logger("archive")


async def sweep(archive: Archive, partition: int, generation: int) -> None:
    """One pass over a partition. Raises ``StoreUnavailable``."""
    if await mismatch(archive):
        return
    now_ms = archive.now_ms()
    segments = await archive.manifest.segments([partition])
    for segment in segments:
        if segment.entry.until_ms <= now_ms and await archive.manifest.forget(generation, segment):
            await archive.blocking(archive.storage.delete, segment.key)
    if orphans := await archive.blocking(_orphans, archive, partition, segments):
        known = {one.name for one in await archive.manifest.segments([partition])}
        for name in orphans - known:
            await archive.blocking(archive.storage.delete, f"{partition}/{name}")
        log.info("swept", partition=partition, orphans=len(orphans - known))


def _orphans(archive: Archive, partition: int, segments: list[Segment]) -> set[str]:
    named, replaced = {one.name for one in segments}, {one.entry.replaces for one in segments}
    ages = archive.storage.ages_s(partition, time.time())
    return {name for name, age_s in ages.items() if name not in named and (age_s > ORPHAN_S or name in replaced)}
