"""Searches segments newest first, in the order of the log across partitions: (ms, sequence, partition). Blocks.

Footers say which events come into question; only their blocks are unpacked. A search that takes long ends early, and
says how far it came.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from dispatcher.store.archive.format.archived import ArchivedEvent
from dispatcher.store.archive.format.entry import Segment
from dispatcher.store.archive.format.footer import Footer
from dispatcher.store.archive.reading.reader import SegmentReader

MAX_BLOCKS = 512
"""Blocks that one search unpacks."""

FIRST_AHEAD, MOST_AHEAD = 8, 64
"""Footers that are read at a time: twice as many each time, since a page may be full after the first."""

Place = tuple[int, int, int]
"""Stream ms, stream sequence, partition."""
ABOVE_ALL: Place = (1 << 48, 0, 0)


class Sieve(Protocol):
    """A filter of events."""

    @property
    def is_exact(self) -> bool:
        """Every row that comes into question meets it."""

    @property
    def texts(self) -> Sequence[bytes]:
        """Texts of JSON, one of which is in every footer with such events; none = nothing is known."""

    def rows(self, footer: Footer) -> Iterable[int]:
        """Rows that come into question, in order."""

    def holds(self, event: ArchivedEvent) -> bool:
        """True for an event that meets it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """``below`` is not included, ``least`` is: places that a search stays between. ``from_ms``: nothing older."""

    sieve: Sieve
    now_ms: int
    below: Place = ABOVE_ALL
    least: Place | None = None
    from_ms: int = 0
    limit: int = 0
    most_bytes: int = 0
    within_s: float = 2.0


@dataclass(slots=True)
class Found:
    """``reached``: all from there on was searched; None = all that there is."""

    events: list[tuple[Place, ArchivedEvent]] = field(default_factory=list)
    reached: Place | None = None
    matched: int = 0
    ended_early: bool = False
    """It took too long to search all that was asked for."""


def search(reader: SegmentReader, segments: Sequence[Segment], wanted: Wanted) -> Found:
    """Up to ``limit`` events, newest first, of ``most_bytes`` about. Raises what ``SegmentReader`` raises."""
    found, size, walk = Found(), 0, _Walk(reader, segments, wanted)
    for place, event in walk.events():
        found.events.append((place, event))
        size += len(event.document)
        if len(found.events) == wanted.limit or size >= wanted.most_bytes:
            found.reached = place
            return found
    found.reached, found.ended_early = walk.ended_at, walk.ended_early
    return found


def count(reader: SegmentReader, segments: Sequence[Segment], wanted: Wanted) -> Found:
    """The number of events that meet the filter, among as many as one search looks at."""
    found, walk = Found(), _Walk(reader, segments, wanted)
    matching = walk.rows() if wanted.sieve.is_exact else walk.events()
    found.matched = sum(1 for _ in matching)
    found.reached = walk.ended_at
    return found


_UNOPENED = -1
"""In place of a row: the segment comes into question, and none of its rows is known yet."""


class _Walk:
    """One search. ``ended_at``: all from there on was looked at; None = all that there is."""

    def __init__(self, reader: SegmentReader, segments: Sequence[Segment], wanted: Wanted) -> None:
        self._reader = reader
        self._wanted = wanted
        self._segments = [one for one in segments if self._is_within(one)]
        self._until_s = time.monotonic() + wanted.within_s
        self._looked = 0
        self._unpacked = 0
        self._blocks: dict[str, tuple[int, list[bytes]]] = {}
        self.ended_at: Place | None = None
        self.ended_early = False

    def events(self) -> Iterator[tuple[Place, ArchivedEvent]]:
        """Those that meet the filter."""
        for place, segment, row in self.rows():
            event = self._event(segment, row)
            if self._wanted.sieve.holds(event):
                yield place, event

    def rows(self) -> Iterator[tuple[Place, Segment, int]]:
        """Rows that come into question, newest first, until the search has to end."""
        streams: dict[int, Iterator[tuple[Place, int]]] = {}
        heap = [(*_down(self._newest(one)), number, _UNOPENED) for number, one in enumerate(self._segments)]
        heap.sort()
        ahead = _ReadAhead(self._reader, [self._segments[number] for *_, number, _ in heap])
        while heap:
            ms, sequence, partition, number, row = heap[0]
            place, segment = (-ms, -sequence, -partition), self._segments[number]
            if self._has_to_end(place):
                return
            if row == _UNOPENED:
                ahead.opening()
                streams[number] = self._rows_of(segment)
            else:
                yield place, segment, row
            if following := next(streams[number], None):
                heapq.heapreplace(heap, (*_down(following[0]), number, following[1]))
            else:
                heapq.heappop(heap)

    def _has_to_end(self, place: Place) -> bool:
        wanted, self._looked = self._wanted, self._looked + 1
        if wanted.least is not None and place < wanted.least:
            self.ended_at = wanted.least
        elif self._looked > 2 and (self._unpacked >= MAX_BLOCKS or time.monotonic() >= self._until_s):
            self.ended_at, self.ended_early = min((place[0], place[1] + 1, 0), wanted.below), True
        return self.ended_at is not None

    def _is_within(self, segment: Segment) -> bool:
        entry, wanted = segment.entry, self._wanted
        oldest = (*entry.first, segment.partition)
        return oldest < wanted.below and entry.last.ms >= wanted.from_ms and entry.until_ms > wanted.now_ms

    def _newest(self, segment: Segment) -> Place:
        return min((*segment.entry.last, segment.partition), self._wanted.below)

    def _rows_of(self, segment: Segment) -> Iterator[tuple[Place, int]]:
        wanted = self._wanted
        footer = self._reader.footer_naming(segment, wanted.sieve.texts)
        if footer is None:
            return
        for row in reversed(list(wanted.sieve.rows(footer))):
            place = (footer.ms[row], footer.sequences[row], segment.partition)
            if place < wanted.below and place[0] >= wanted.from_ms and footer.expires_ms[row] > wanted.now_ms:
                yield place, row

    def _event(self, segment: Segment, row: int) -> ArchivedEvent:
        """Of each segment the last block is kept: its next row is most often in the same."""
        footer = self._reader.footer(segment)
        number, within = footer.place(row)
        known = self._blocks.get(segment.key)
        if known is None or known[0] != number:
            self._unpacked += 1
            known = number, self._reader.block(segment, footer, number)
            self._blocks[segment.key] = known
        return ArchivedEvent.from_line(known[1][within])


class _ReadAhead:
    """Footers of segments in the order in which they are opened."""

    def __init__(self, reader: SegmentReader, segments: Sequence[Segment]) -> None:
        self._reader = reader
        self._segments = segments
        self._opened = 0
        self._read = 0
        self._many = FIRST_AHEAD

    def opening(self) -> None:
        """The next one is opened now."""
        if self._opened == self._read:
            some = self._segments[self._read : self._read + self._many]
            self._reader.read_ahead(some)
            self._read, self._many = self._read + len(some), min(self._many * 2, MOST_AHEAD)
        self._opened += 1


def _down(place: Place) -> Place:
    return -place[0], -place[1], -place[2]
