"""Reads segments from their storage: footers, of which the latest are kept, and single blocks. Every call blocks."""

from __future__ import annotations

from collections.abc import Sequence

from dispatcher.errors import ArchiveUnavailable, StoreDamaged
from dispatcher.store.archive.format.archived import ArchivedEvent
from dispatcher.store.archive.format.entry import Segment
from dispatcher.store.archive.format.footer import Footer
from dispatcher.store.archive.format.segment import (
    Altered,
    digest_of,
    footer_span,
    read_block,
    read_events,
    unpack_footer,
)
from dispatcher.store.archive.reading.kept import Kept
from dispatcher.store.archive.storage.interface import Storage

KEPT_ROWS = 50_000
"""Events whose rows in footers are kept in memory, some 300 bytes each."""
KEPT_BYTES = 16 * 1024 * 1024
"""Bytes of footers as they are stored, some 30 an event: of so many more, a look costs no read."""


class SegmentGone(Exception):
    """The storage has no such segment: it was replaced meanwhile, or is lost."""

    def __init__(self, segment: Segment) -> None:
        super().__init__(segment.key)
        self.segment = segment


class SegmentReader:
    """For any number of threads. Raises ``SegmentGone``, ``ArchiveUnavailable``, and ``StoreDamaged`` for a segment
    that is cut or altered."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._footers = Kept[Footer](KEPT_ROWS)
        self._packed = Kept[bytes](KEPT_BYTES)

    def read_ahead(self, segments: Sequence[Segment]) -> None:
        """Footers that are soon asked for, several at a time; what is wrong with one is told when it is."""
        missing = [one for one in segments if self._footers.get(one.key) is None and self._packed.get(one.key) is None]
        if missing:
            for key, packed in self._storage.read_each({one.key: footer_span(one.entry) for one in missing}).items():
                self._packed.keep(key, packed, len(packed))

    def footer(self, segment: Segment) -> Footer:
        if known := self._footers.get(segment.key):
            return known
        footer = Footer.from_stored(self._stored(segment))
        self._footers.keep(segment.key, footer, len(footer.ids))
        return footer

    def footer_naming(self, segment: Segment, texts: Sequence[bytes]) -> Footer | None:
        """None where it has none of some texts of JSON, and needs one: its rows are not read to tell that."""
        if texts and self._footers.get(segment.key) is None:
            stored = self._stored(segment)
            if not any(text in stored for text in texts):
                return None
        return self.footer(segment)

    def _stored(self, segment: Segment) -> bytes:
        packed = self._packed.get(segment.key) or self._read(segment, *footer_span(segment.entry))
        try:
            stored = unpack_footer(packed, segment.entry)
        except Altered as error:
            self._packed.forget(segment.key)
            raise self._damaged(segment, error) from error
        self._packed.keep(segment.key, packed, len(packed))
        return stored

    def block(self, segment: Segment, footer: Footer, number: int) -> list[bytes]:
        """Lines of its events: whoever looks for one reads no others."""
        block = footer.blocks[number]
        packed = self._read(segment, block.at, block.size)
        try:
            return read_block(packed, block)
        except Altered as error:
            raise self._damaged(segment, error) from error

    def event(self, segment: Segment, event_id: str) -> ArchivedEvent | None:
        """One event; None where the segment has it not."""
        footer = self.footer(segment)
        row = footer.row_of.get(event_id)
        if row is None:
            return None
        number, within = footer.place(row)
        return ArchivedEvent.from_line(self.block(segment, footer, number)[within])

    def events(self, segment: Segment) -> list[ArchivedEvent]:
        """All of them, once the whole segment has the hash that its entry says."""
        content = self.check(segment)
        try:
            return read_events(content, segment.entry)
        except Altered as error:
            raise self._damaged(segment, error) from error

    def check(self, segment: Segment) -> bytes:
        """All of it, once its hash has been compared."""
        content = self._read(segment, 0, segment.entry.size + 1)
        if len(content) != segment.entry.size or digest_of(content) != segment.entry.digest:
            raise self._damaged(segment, Altered(f"{len(content)} bytes that are not the ones that were written"))
        return content

    def _read(self, segment: Segment, at: int, size: int) -> bytes:
        try:
            return self._storage.read(segment.key, at, size)
        except FileNotFoundError as error:
            raise SegmentGone(segment) from error
        except OSError as error:
            raise away(self._storage, error) from error

    def _damaged(self, segment: Segment, error: Altered) -> StoreDamaged:
        where = f"segment {segment.key} of the archive"
        return StoreDamaged(f"{where} is cut or altered ({error}); put back its file from a backup")


def away(storage: Storage, error: OSError) -> ArchiveUnavailable:
    """The error to be told for what a storage raised."""
    words = storage.words
    return ArchiveUnavailable(f"the archive {words.label} cannot be used: {error.strerror or error}; {words.remedy}")


def lost(storage: Storage, segment: Segment) -> ArchiveUnavailable:
    """The error for a segment that the manifest has and the storage has not."""
    words = storage.words
    return ArchiveUnavailable(f"the archive {words.label} lacks segment {segment.key}: {words.doubt}")
