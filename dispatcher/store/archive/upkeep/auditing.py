"""Recounts the archive: what moved there is what its manifest has; deep, also that each file is what was written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from dispatcher.errors import StoreUnavailable
from dispatcher.store.archive.archive import Archive
from dispatcher.store.archive.format.entry import Entry, Segment
from dispatcher.store.archive.reading.reader import SegmentGone, lost
from dispatcher.store.keys import queue as keys
from dispatcher.store.redis.scripts import Client, each, each_command, script

AT_ONCE = 500
_TALLY = script("archive/tally")


@dataclass(frozen=True, slots=True)
class ArchiveReport:
    """``counted``: events that moved and have not expired; ``events``: those that the manifest has."""

    counted: int = 0
    events: int = 0
    segments: int = 0
    size: int = 0
    broken: dict[str, str] = field(default_factory=dict)

    @property
    def well(self) -> bool:
        return not self.broken and self.counted == self.events


async def recount_archive(client: Client, partitions: Sequence[int]) -> ArchiveReport:
    """By the manifests alone. The numbers of a partition are of one moment. Raises ``StoreUnavailable``."""
    report = ArchiveReport()
    calls = [_TALLY.call([keys.own(partition), keys.segments(partition)]) for partition in partitions]
    for partition, reply in zip(partitions, await each(client, calls), strict=True):
        if isinstance(reply, StoreUnavailable):
            raise reply
        report = _with(report, keys.segments(partition), reply)
    return report


def _with(report: ArchiveReport, manifest: str, reply: Any) -> ArchiveReport:
    try:
        archived, expired, *stored = reply
        entries = [Entry.from_stored(one) for one in stored]
    except (ValueError, LookupError, TypeError):
        return replace(report, broken=report.broken | {manifest: "this manifest of the archive cannot be read"})
    return replace(
        report,
        counted=report.counted + int(archived) - int(expired),
        events=report.events + sum(entry.events for entry in entries),
        segments=report.segments + len(entries),
        size=report.size + sum(entry.size for entry in entries),
    )


async def check_segments(archive: Archive, partitions: Sequence[int]) -> dict[str, str]:
    """Segments that are not what was written, and events that are in two places, with what is wrong."""
    broken: dict[str, str] = {}
    for partition in partitions:
        known = set[str]()
        for segment in await archive.manifest.segments([partition]):
            try:
                ids = await archive.blocking(_ids_of, archive, segment)
            except SegmentGone:
                if segment in await archive.manifest.segments([partition]):
                    broken[segment.key] = str(lost(archive.storage, segment))
                continue
            except StoreUnavailable as error:
                broken[segment.key] = str(error)
                continue
            broken |= dict.fromkeys(known & ids, f"it is in segment {segment.key} and in another")
            broken |= dict.fromkeys(await _in_redis(archive, ids), f"it is in Redis and in segment {segment.key}")
            known |= ids
    return broken


def _ids_of(archive: Archive, segment: Segment) -> set[str]:
    """Once all of it has been read and compared."""
    return {event.id for event in archive.reader.events(segment)}


async def _in_redis(archive: Archive, ids: set[str]) -> list[str]:
    found, some = list[str](), sorted(ids)
    for at in range(0, len(some), AT_ONCE):
        piece = some[at : at + AT_ONCE]
        names = [keys.event(int(event_id[-3:], 16), event_id) for event_id in piece]
        there = await each_command(archive.client, [("EXISTS", name) for name in names])
        found += [one for one, is_there in zip(piece, there, strict=True) if is_there == 1]
    return found
