"""The stream of status changes: one capped stream a partition, read together, resumed from one id.

An id is the stream position of every partition, ``ms-seq`` joined by dots in base 36, so that a reader
that comes back (``Last-Event-ID``) misses nothing that is still kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from dispatcher.errors import InvalidRequest
from dispatcher.model.queue import Change
from dispatcher.store.keys import queue as keys
from dispatcher.store.queue.records import change, damaged_is_absent, text
from dispatcher.store.redis.scripts import Client, each_of

Position = tuple[int, int]
"""Milliseconds and sequence of a stream id."""

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_FIELDS = (b"i", b"s", b"t", b"l", b"g", b"n", b"h")


class Entry(NamedTuple):
    """One change as a partition's feed holds it."""

    position: Position
    fields: dict[bytes, bytes]

    @property
    def event_id(self) -> str:
        return text(self.fields.get(b"i"))

    @property
    def status(self) -> str:
        return text(self.fields.get(b"s"))


async def read_changes(client: Client, partitions: Sequence[int], after_id: str | None, limit: int) -> list[Change]:
    """Changes after ``after_id`` (None = all that are kept), oldest first.

    Raises ``InvalidRequest`` (invalid_cursor) for an id that is not one of ours.
    """
    positions = positions_in(after_id, len(partitions)) if after_id else [(0, 0)] * len(partitions)
    found = await read_after(client, positions, limit)
    rows = [(partition, entry) for partition, entries in enumerate(found) for entry in entries]
    return changes_of(rows, positions, limit)


async def read_after(client: Client, positions: Sequence[Position], limit: int) -> list[list[Entry]]:
    """Of each partition from 0 on what is behind its position, up to ``limit``; nothing of one that cannot be read."""
    pipeline: Any = client.pipeline(transaction=False)
    for partition, (ms, sequence) in enumerate(positions):
        pipeline.xrange(keys.feed(partition), f"({ms}-{sequence}", "+", limit)
    return [
        [] if isinstance(found, Exception) else [Entry(_parts(text(at)), _fields(entry)) for at, entry in found]
        for found in await each_of(pipeline)
    ]


def changes_of(rows: Iterable[tuple[int, Entry]], positions: list[Position], limit: int) -> list[Change]:
    """Entries of partitions as changes, oldest first; a reader that was at ``positions`` can go on behind each."""
    changes = []
    for partition, entry in sorted(rows, key=lambda row: row[1].position)[:limit]:
        positions[partition] = entry.position
        with damaged_is_absent(entry.event_id):
            changes.append(change(_encode([_text(one) for one in positions]), entry.fields, entry.position[0]))
    return changes


def positions_in(change_id: str, partitions: int) -> list[Position]:
    """Raises ``InvalidRequest`` (invalid_cursor) for an id that is not one of ours."""
    return [_parts(position) for position in _decode(change_id, partitions)]


async def newest(client: Client, partitions: Sequence[int]) -> str:
    """The id after which only what happens from now on is read."""
    pipeline: Any = client.pipeline(transaction=False)
    for partition in partitions:
        pipeline.xrevrange(keys.feed(partition), "+", "-", 1)
    return _encode([text(entries[0][0]) if entries else "0-0" for entries in await pipeline.execute()])


def _fields(entry: dict[bytes, bytes]) -> dict[bytes, bytes]:
    """Lines of one field; older versions wrote a field for each."""
    return dict(zip(_FIELDS, entry[b"c"].split(b"\n"), strict=False)) if b"c" in entry else entry


def _parts(stream_id: str) -> tuple[int, int]:
    ms, sequence = stream_id.split("-")
    return int(ms), int(sequence)


def _text(position: Position) -> str:
    return f"{position[0]}-{position[1]}"


def _encode(positions: Sequence[str]) -> str:
    return ".".join("-".join(_base36(part) for part in _parts(position)) for position in positions)


def _decode(change_id: str, count: int) -> list[str]:
    try:
        positions = [[int(part, 36) for part in pair.split("-")] for pair in change_id.split(".")]
        if len(positions) == count and all(len(parts) == 2 and max(parts) < 1 << 63 for parts in positions):
            return [f"{ms}-{sequence}" for ms, sequence in positions]
    except ValueError:
        pass
    raise InvalidRequest.of("invalid_cursor", "resume with the id of an earlier message, unchanged", "Last-Event-ID")


def _base36(value: int) -> str:
    digits = ""
    while True:
        value, rest = divmod(value, 36)
        digits = _DIGITS[rest] + digits
        if not value:
            return digits
