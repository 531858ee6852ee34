"""Lists events newest first across partitions. The order is (stream ms, stream seq, partition), descending.

A page ends at a position in that order, which a cursor holds together with a hash of what is listed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from dispatcher.errors import InvalidRequest
from dispatcher.model.queue import EventFilter, Page, StoredEvent
from dispatcher.store import keys
from dispatcher.store.queue.records import damaged_is_absent, stored_event, text
from dispatcher.store.redis.scripts import Argument, Client, each, script

SCAN_CHUNK = 1000
"""Log entries that one call looks at: about a millisecond of Redis."""
MAX_ROUNDS = 400
"""Calls per partition and page, at most; the page then ends early, with a cursor."""

_LIST = script("queue/list")

Position = tuple[int, int, int]


@dataclass(slots=True)
class _Scan:
    """Progress of reading one partition."""

    partition: int
    upper: str
    found: list[tuple[Position, StoredEvent]] = field(default_factory=list)
    reached: Position | None = None
    done: bool = False


async def read_page(
    client: Client,
    partitions: Sequence[int],
    condition: EventFilter,
    cursor: str | None,
    limit: int,
    complete: bool,
) -> Page:
    """Up to ``limit`` events that meet ``condition``, and the cursor of the next page.

    ``complete``: raises for a partition that cannot be read, which otherwise is left out.
    """
    seal = _seal(condition)
    after = _decode(cursor, seal) if cursor is not None else None
    upper = "+" if condition.to_ms is None else f"{max(0, condition.to_ms - 1)}"
    scans = [_Scan(p, _below(after, p) if after else upper) for p in partitions]
    for _ in range(MAX_ROUNDS):
        waiting = [scan for scan in scans if not scan.done and len(scan.found) < limit]
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
    return _merge(scans, limit, seal)


def _merge(scans: list[_Scan], limit: int, seal: str) -> Page:
    # What lies beyond the least advanced unfinished partition may have newer neighbours that were not read yet.
    frontier = max((s.reached for s in scans if not s.done and s.reached), default=None)
    found = sorted((row for scan in scans for row in scan.found), key=lambda row: row[0], reverse=True)
    if frontier is not None:
        found = [row for row in found if row[0] >= frontier]
    shown = found[:limit]
    more = len(found) > limit or frontier is not None
    if not more:
        return Page([event for _, event in shown], None)
    last = shown[-1][0] if len(shown) == limit else frontier
    return Page([event for _, event in shown], _encode(last, seal) if last else None)


def _take(scan: _Scan, reply: list[Any]) -> None:
    for i in range(1, len(reply), 5):
        position = _position(text(reply[i]), scan.partition)
        event_id = text(reply[i + 1])
        with damaged_is_absent(event_id):
            scan.found.append((position, stored_event(event_id, reply[i + 2], reply[i + 3], text(reply[i + 4]))))
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
