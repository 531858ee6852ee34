"""Lists events newest first across partitions. The order is (stream ms, stream seq, partition), descending.

A page ends at a position in that order, which a cursor holds together with a hash of what is listed. Partitions are
searched for heads, without what emitters wrote; documents are fetched of those events alone that are on the page.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

from dispatcher.errors import InvalidRequest
from dispatcher.model.queue import EventFilter, Page, StoredEvent
from dispatcher.store import keys
from dispatcher.store.queue.records import damaged_is_absent, stored_event, text
from dispatcher.store.redis.scripts import Argument, Client, each, each_of, script

SCAN_CHUNK = 1000
"""Log entries that one call looks at: about a millisecond of Redis."""
MAX_ROUNDS = 400
"""Calls per partition and page, at most; the page then ends early, with a cursor."""

PAGE_BYTES = 2 << 20
"""Documents on one page: it ends early, with a cursor, before they are more, unless its first alone is."""

_LIST = script("queue/list")

Position = tuple[int, int, int]


class _Row(NamedTuple):
    """One event that was found. ``head``: its document without creator and payload, of ``size`` bytes with them."""

    position: Position
    event_id: str
    head: bytes
    size: int
    state: bytes
    status: str

    @property
    def partition(self) -> int:
        return self.position[2]


@dataclass(slots=True)
class _Scan:
    """Progress of reading one partition."""

    partition: int
    upper: str
    found: list[_Row] = field(default_factory=list)
    size: int = 0
    reached: Position | None = None
    done: bool = False

    def has(self, limit: int, most_bytes: int) -> bool:
        """Enough for a page, or all that there is."""
        return self.done or len(self.found) >= limit or self.size >= most_bytes


async def read_page(
    client: Client,
    partitions: Sequence[int],
    condition: EventFilter,
    cursor: str | None,
    limit: int,
    *,
    complete: bool,
    payloads: bool,
) -> Page:
    """Up to ``limit`` events that meet ``condition``, and the cursor of the next page.

    ``complete``: raises for a partition that cannot be read, which otherwise is left out. ``payloads``: with what the
    emitters wrote, ``PAGE_BYTES`` of it.
    """
    seal = _seal(condition)
    after = _decode(cursor, seal) if cursor is not None else None
    upper = "+" if condition.to_ms is None else f"{max(0, condition.to_ms - 1)}"
    scans = [_Scan(p, _below(after, p) if after else upper) for p in partitions]
    most_bytes = PAGE_BYTES if payloads else sys.maxsize
    for _ in range(MAX_ROUNDS):
        waiting = [scan for scan in scans if not scan.has(limit, most_bytes)]
        if not waiting:
            break
        calls = [_LIST.call([keys.own(scan.partition)], *_arguments(condition, scan, limit)) for scan in waiting]
        for scan, reply in zip(waiting, await each(client, calls), strict=True):
            if not isinstance(reply, Exception):
                _take(scan, reply)
            elif complete:
                raise reply
            else:
                scan.done = True
    rows, last = _merge(scans, limit, most_bytes)
    documents = await _documents(client, rows, complete) if payloads else [row.head for row in rows]
    return Page(_events(rows, documents), _encode(last, seal) if last else None)


def _merge(scans: list[_Scan], limit: int, most_bytes: int) -> tuple[list[_Row], Position | None]:
    """The rows of the page, and where it ends; None = there is no more."""
    # What lies beyond the least advanced unfinished partition may have newer neighbours that were not read yet.
    frontier = max((s.reached for s in scans if not s.done and s.reached), default=None)
    found = sorted((row for scan in scans for row in scan.found), key=lambda row: row.position, reverse=True)
    if frontier is not None:
        found = [row for row in found if row.position >= frontier]
    shown = found[: _that_fit(found[:limit], most_bytes)]
    if len(shown) < len(found):
        return shown, shown[-1].position
    if frontier is None or len(shown) < limit:
        return shown, frontier
    return shown, shown[-1].position


def _that_fit(rows: list[_Row], most_bytes: int) -> int:
    """Rows of ``most_bytes`` together from the first on, which always fits."""
    size = 0
    for count, row in enumerate(rows):
        size += row.size
        if count and size > most_bytes:
            return count
    return len(rows)


async def _documents(client: Client, rows: list[_Row], complete: bool) -> list[bytes | None]:
    """None where it is gone meanwhile, or cannot be read."""
    if not rows:
        return []
    pipeline: Any = client.pipeline(transaction=False)
    for row in rows:
        pipeline.hget(keys.event(row.partition, row.event_id), "doc")
    replies = await each_of(pipeline)
    failed = next((reply for reply in replies if isinstance(reply, Exception)), None)
    if failed is not None and complete:
        raise failed
    return [None if isinstance(reply, Exception) else reply for reply in replies]


def _events(rows: list[_Row], documents: Sequence[bytes | None]) -> list[StoredEvent]:
    events = []
    for row, document in zip(rows, documents, strict=True):
        if document is None:
            continue
        with damaged_is_absent(row.event_id):
            events.append(stored_event(row.event_id, document, row.state, row.status))
    return events


def _take(scan: _Scan, reply: list[Any]) -> None:
    for i in range(1, len(reply), 6):
        stream_id, event_id, head, size, state, status = reply[i : i + 6]
        position = _position(text(stream_id), scan.partition)
        scan.found.append(_Row(position, text(event_id), head, size, state, text(status)))
        scan.size += size
    rest = text(reply[0])
    scan.done = not rest
    if rest:
        scan.reached = _position(rest, scan.partition)
        scan.upper = f"({rest}"


def _arguments(condition: EventFilter, scan: _Scan, limit: int) -> list[Argument]:
    product = f',"p":{orjson.dumps(condition.product_id).decode()}' if condition.product_id else ""
    return [
        scan.upper,
        "-" if condition.from_ms is None else str(condition.from_ms),
        SCAN_CHUNK,
        limit - len(scan.found),
        condition.integration_id or "\n".join(sorted(condition.lanes or ())),
        condition.account_id or "",
        product,
        _listed(condition.types),
        _listed(condition.statuses),
    ]


def _listed(values: frozenset[Any]) -> str:
    return f",{','.join(sorted(values))}," if values else ""


def _position(stream_id: str, partition: int) -> Position:
    ms, sequence = stream_id.split("-")
    return int(ms), int(sequence), partition


def _below(after: Position, partition: int) -> str:
    ms, sequence, at = after
    return f"{ms}-{sequence}" if partition < at else f"({ms}-{sequence}"


def _seal(condition: EventFilter) -> str:
    """Hash of the condition, in each cursor: one of another listing is not mistaken for the end of this."""
    parts: tuple[object, ...] = (
        *(",".join(sorted(values)) for values in (condition.statuses, condition.types)),
        condition.product_id,
        condition.account_id,
        condition.integration_id,
        condition.from_ms,
        condition.to_ms,
    )
    if condition.vendor_id is not None:
        parts += (condition.vendor_id,)
    return hashlib.blake2b(repr(parts).encode(), digest_size=4).hexdigest()


def _encode(position: Position, seal: str) -> str:
    return base64.urlsafe_b64encode("-".join([*map(str, position), seal]).encode()).decode().rstrip("=")


def _decode(cursor: str, seal: str) -> Position:
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
        *numbers, sealed = raw.split("-")
        ms, sequence, partition = (int(part) for part in numbers)
    except (ValueError, binascii.Error, UnicodeError):
        raise InvalidRequest.of("invalid_cursor", "use nextCursor of an earlier answer, unchanged", "cursor") from None
    if not (0 <= ms < 1 << 48 and 0 <= sequence < 1 << 48 and 0 <= partition < 1 << 12 and sealed == seal):
        raise InvalidRequest.of("invalid_cursor", "use nextCursor of an earlier answer, unchanged", "cursor")
    return ms, sequence, partition
