"""Forgets the content of an archived event: its segment is written anew without it, and the old one is deleted.

New segment → exchange in the manifest → delete the old one; only then it is done. Stopped before the exchange, nothing
has changed but for an orphan, which is swept after a day. Stopped after it, the entry says which segment it replaces: a
repeat, or the owner's next sweep, deletes that.
"""

from __future__ import annotations

from collections.abc import Callable

from dispatcher.errors import ArchiveUnavailable
from dispatcher.store.archive.archive import Archive
from dispatcher.store.archive.format.archived import ArchivedEvent
from dispatcher.store.archive.format.entry import Segment, key_of, new_name
from dispatcher.store.archive.format.segment import build
from dispatcher.store.archive.reading.reader import SegmentGone

Forget = Callable[[ArchivedEvent], ArchivedEvent | None]
"""The event without what is to be forgotten; None = nothing of it is left to forget."""
_TIMES = 5
"""Times that another process may exchange the segment meanwhile."""


async def rewrite(archive: Archive, event_id: str, forget: Forget) -> bool:
    """False: no such event is archived. Raises ``StoreUnavailable``; then nothing is done, or the same once more."""
    async with archive.rewriting:
        return await _rewrite(archive, event_id, forget)


async def _rewrite(archive: Archive, event_id: str, forget: Forget) -> bool:
    for _ in range(_TIMES):
        located = (await archive.locate([event_id])).get(event_id)
        if located is None:
            return False
        segment, event = located
        bare = forget(event)
        if bare is None or await _exchanged(archive, segment, bare):
            return await _delete_replaced(archive, event_id)
    raise ArchiveUnavailable("the segment of this event changes all the time; ask again")


async def _exchanged(archive: Archive, segment: Segment, bare: ArchivedEvent) -> bool:
    try:
        new = await archive.blocking(_written, archive, segment, bare)
    except SegmentGone:
        return False
    if await archive.manifest.exchange(segment, new):
        return True
    await archive.blocking(archive.storage.delete, new.key)  # it has what somebody else has just expunged
    return False


def _written(archive: Archive, segment: Segment, bare: ArchivedEvent) -> Segment:
    events = [bare if event.id == bare.id else event for event in archive.reader.events(segment)]
    content, entry = build(events, replaces=segment.name)
    new = Segment(segment.partition, new_name(entry), entry)
    archive.storage.write(new.key, content)
    archive.reader.check(new)
    return new


async def _delete_replaced(archive: Archive, event_id: str) -> bool:
    located = (await archive.locate([event_id])).get(event_id)
    if located and (replaced := located[0].entry.replaces):
        await archive.blocking(archive.storage.delete, key_of(located[0].partition, replaced))
    return True
