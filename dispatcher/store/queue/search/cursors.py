"""Cursors of lists: a position and a hash of what is listed. One of another listing, or a forged one, is refused."""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import NamedTuple

from dispatcher.errors import InvalidRequest
from dispatcher.model.queue import EventFilter
from dispatcher.policy.event_filter.printing import print_term

Position = tuple[int, int, int]
"""Stream ms, stream seq, partition."""
_MOST = 1 << 48
_INDEXED = "i"
_PARTS_OF_INDEXED = 5


class IndexPosition(NamedTuple):
    """A place in an index. ``anchor``: the newest id of the slice; the rest is the last row's place within it.

    Ids are hexadecimal here, without hyphens.
    """

    anchor: str
    created_ms: int
    sequence: int
    event_id: str


def seal_of(condition: EventFilter) -> str:
    """Hash of the condition, in each cursor."""
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
    if condition.terms:
        parts += (" ".join(map(print_term, condition.terms)),)
    return hashlib.blake2b(repr(parts).encode(), digest_size=4).hexdigest()


def encode(position: Position | IndexPosition, seal: str) -> str:
    parts = [_INDEXED, *position] if isinstance(position, IndexPosition) else [*position]
    return base64.urlsafe_b64encode("-".join([*map(str, parts), seal]).encode()).decode().rstrip("=")


def decode(cursor: str, seal: str) -> Position | IndexPosition:
    """Raises ``InvalidRequest`` (invalid_cursor) for what is not a cursor of this listing."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode("ascii")
        *parts, sealed = raw.split("-")
        if sealed == seal:
            return _indexed(parts) if parts[:1] == [_INDEXED] else _logged(parts)
    except (ValueError, binascii.Error, UnicodeError):
        pass
    raise InvalidRequest.of("invalid_cursor", "use nextCursor of an earlier answer, unchanged", "cursor")


def _logged(parts: list[str]) -> Position:
    ms, sequence, partition = (int(part) for part in parts)
    if not (0 <= ms < _MOST and 0 <= sequence < _MOST and 0 <= partition < 1 << 12):
        raise ValueError("out of range")
    return ms, sequence, partition


def _indexed(parts: list[str]) -> IndexPosition:
    if len(parts) != _PARTS_OF_INDEXED:
        raise ValueError("not a place in an index")
    anchor, created_ms, sequence, event_id = parts[1], int(parts[2]), int(parts[3]), parts[4]
    for one in (anchor, event_id):
        if one and not (len(one) == 32 and int(one, 16) >= 0):
            raise ValueError("not an id")
    if not (0 <= created_ms <= _MOST and 0 <= sequence <= _MOST):
        raise ValueError("out of range")
    return IndexPosition(anchor, created_ms, sequence, event_id)
