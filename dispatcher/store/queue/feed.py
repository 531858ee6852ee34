"""The stream of status changes: one capped stream a partition, read together, resumed from one id.

An id is the stream position of every partition, ``ms-seq`` joined by dots in base 36, so that a reader
that comes back (``Last-Event-ID``) misses nothing that is still kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dispatcher.errors import InvalidRequest
from dispatcher.model.queue import Change
from dispatcher.store import keys
from dispatcher.store.queue.records import change, damaged_is_absent, text
from dispatcher.store.redis.scripts import Client, each_of

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_FIELDS = (b"i", b"s", b"t", b"l", b"g", b"n", b"h")


async def read_changes(client: Client, partitions: Sequence[int], after_id: str | None, limit: int) -> list[Change]:
    """Changes after ``after_id`` (None = all that are kept), oldest first.

    Raises ``InvalidRequest`` (invalid_cursor) for an id that is not one of ours.
    """
    positions = _decode(after_id, len(partitions)) if after_id else ["0-0"] * len(partitions)
    pipeline: Any = client.pipeline(transaction=False)
    for partition, position in zip(partitions, positions, strict=True):
        pipeline.xrange(keys.feed(partition), f"({position}", "+", limit)
    rows = [
        (_parts(text(stream_id)), index, _fields(entry))
        for index, entries in enumerate(await each_of(pipeline))
        if not isinstance(entries, Exception)  # where it was left off, it goes on
        for stream_id, entry in entries
    ]
    changes = []
    for (ms, sequence), index, fields in sorted(rows, key=lambda row: row[:2])[:limit]:
        positions[index] = f"{ms}-{sequence}"
        with damaged_is_absent(text(fields.get(b"i"))):
            changes.append(change(_encode(positions), fields, ms))
    return changes


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
