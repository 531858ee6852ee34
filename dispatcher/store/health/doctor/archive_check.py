"""Examines the archive: is it the folder with this store's history, and is all there that the manifest names?"""

from __future__ import annotations

from redis.asyncio import Redis

from dispatcher.errors import StoreUnavailable
from dispatcher.store.archive.archive import Archive
from dispatcher.store.archive.format.entry import Segment
from dispatcher.store.archive.reading.reader import SegmentGone, lost
from dispatcher.store.archive.storage.interface import ASK_THE_DOCTOR
from dispatcher.store.archive.trouble import Noted, noted, seen_here
from dispatcher.store.archive.upkeep.auditing import recount_archive
from dispatcher.store.health.doctor.findings import Check, Level

NAME = "archive"


async def examine_archive(redis: Redis, archive: Archive | None, partitions: int) -> Check:
    """One finding. Raises ``StoreUnavailable`` when Redis goes away meanwhile."""
    report = await recount_archive(redis, range(partitions))
    if report.broken:
        return Check(
            NAME, Level.FAIL, f"put back from a backup of Redis what cannot be read: {', '.join(report.broken)}"
        )
    if archive is None:
        if report.segments:
            remedy = "set DISPATCHER_ARCHIVE_DIR or DISPATCHER_ARCHIVE_URL to where they are, else nobody can read them"
            return Check(NAME, Level.FAIL, f"{report.events} events are archived: {remedy}")
        return Check(NAME, Level.OK, "none: what ended stays in Redis until its retention ends")
    if wrong := await seen_here(archive) or await _failed(archive) or await _missed(archive, partitions):
        return Check(NAME, Level.FAIL, _told(wrong))
    if past := await noted(redis):
        return Check(NAME, Level.WARN, _warning(past, archive))
    megabytes = report.size / 1e6
    text = f"{report.events} events in {report.segments} segments, {megabytes:.1f} MB in {archive.storage.words.label}"
    return Check(NAME, Level.OK, text)


def _told(wrong: str) -> str:
    """The words without the advice to run what prints them."""
    return wrong.removesuffix(f"; {ASK_THE_DOCTOR}")


def _warning(past: Noted, archive: Archive) -> str:
    where = f"worker {past.by}" if past.by else "a worker"
    return (
        f"this process can use {archive.storage.words.label}, but {where} could not archive "
        f"{past.age_s} s ago: {_told(past.words)}: is it there now, and are that worker's settings these?"
    )


async def _failed(archive: Archive) -> str | None:
    """The reason why nothing can be written, read and deleted there."""
    try:
        await archive.blocking(archive.storage.rehearse)
    except StoreUnavailable as error:
        return str(error)
    return None


async def _missed(archive: Archive, partitions: int) -> str | None:
    """The first newest segment of a partition that cannot be opened here: API and workers share no folder, maybe."""
    for partition in range(partitions):
        segments = await archive.manifest.segments([partition])
        if not segments:
            continue
        newest = max(segments, key=lambda segment: segment.entry.last)
        if wrong := await _wrong(archive, newest):
            return wrong
    return None


async def _wrong(archive: Archive, segment: Segment) -> str | None:
    try:
        await archive.blocking(archive.reader.footer, segment)
    except SegmentGone:
        return str(lost(archive.storage, segment))
    except StoreUnavailable as error:
        return str(error)
    return None
