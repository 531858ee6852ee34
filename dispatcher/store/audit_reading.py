"""Reads the audit log: newest first with a filter, or from its beginning to check the chain. Writes nothing."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, cast

from redis.asyncio import Redis

from dispatcher.errors import InvalidRequest
from dispatcher.model.audit_entry import Entry, Head
from dispatcher.store.audit_log import HEAD, STREAM
from dispatcher.store.connection import guarded

_CHUNK = 500
_MAX_CHUNKS = 40
"""Of one page: a filter that finds nothing ends it early, with a cursor."""
_POSITION = re.compile(rb"\d{1,15}-\d{1,9}")


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """All that is given must hold. Times are epoch ms of the entries, ``from_ms`` included, ``to_ms`` not."""

    client_id: str | None = None
    action: str | None = None
    object_id: str | None = None
    from_ms: int | None = None
    to_ms: int | None = None

    def matches(self, entry: Entry) -> bool:
        deed = entry.deed()
        return (
            self.client_id in (None, deed.author.client_id)
            and self.action in (None, deed.action)
            and self.object_id in (None, deed.object_id)
            and (self.from_ms is None or deed.at_ms >= self.from_ms)
            and (self.to_ms is None or deed.at_ms < self.to_ms)
        )

    def seal(self) -> bytes:
        """Ties a cursor to what is listed."""
        parts = (self.client_id, self.action, self.object_id, self.from_ms, self.to_ms)
        return hashlib.blake2b(repr(parts).encode(), digest_size=4).digest()


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Newest first. ``next_cursor`` None = there is no more."""

    items: list[Entry]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a walk along the chain found. ``first``, ``head``: the oldest and the newest entry that are kept."""

    entries: int
    first: int
    head: Head
    broken: tuple[str, ...]

    @property
    def well(self) -> bool:
        return not self.broken


class AuditReader:
    """Reads what ``AuditLog`` writes."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def page(self, condition: AuditFilter, cursor: str | None, limit: int) -> AuditPage:
        """``InvalidRequest`` (invalid_cursor) for a cursor of another listing."""
        upper = "+" if cursor is None else f"({_decode(cursor, condition.seal())}"
        found: list[Entry] = []
        for _ in range(_MAX_CHUNKS):
            rows = await self._range("xrevrange", upper, "-")
            for position, entry in rows:
                upper = f"({position}"
                if condition.matches(entry):
                    found.append(entry)
                    if len(found) == limit:
                        return AuditPage(found, _encode(position, condition.seal()))
            if len(rows) < _CHUNK:
                return AuditPage(found, None)
        return AuditPage(found, _encode(upper[1:], condition.seal()))

    async def verify(self) -> Verdict:
        """Whether each entry holds the hash of the one before, none is missing, and the last one is the head."""
        count, first, last = 0, 0, Head()
        broken: list[str] = []
        async for position, raw in self._walk():
            entry = _entry(raw)
            if entry is None:
                broken.append(f"what is at {position} is no audit entry")
                continue
            count, first = count + 1, first or entry.n
            if last.n and (entry.n, entry.previous) != (last.n + 1, last.hash):
                broken.append(_difference(entry, last))
            last = entry.head
        head = Head.of((await self._get_head()).decode())
        if head.n < last.n or (head.n == last.n and head != last):
            broken.append(f"entry {last.n} is not the one that was written as the newest: it was changed or added")
        elif head.n > last.n and not await self._continues(last):
            broken.append(f"entries {last.n + 1} to {head.n} are missing at the end")
        return Verdict(count, first, last, tuple(broken))

    async def _continues(self, last: Head) -> bool:
        """Whether entries were written behind ``last`` while the chain was walked."""
        rows = await self._range("xrevrange", "+", "-", 1)
        return bool(rows) and rows[0][1].n > last.n

    async def _walk(self) -> AsyncIterator[tuple[str, bytes]]:
        lower = "-"
        while True:
            rows = await self._raw("xrange", lower, "+", _CHUNK)
            for position, raw in rows:
                yield position, raw
            if len(rows) < _CHUNK:
                return
            lower = f"({rows[-1][0]}"

    async def _range(self, command: str, start: str, end: str, count: int = _CHUNK) -> list[tuple[str, Entry]]:
        rows = await self._raw(command, start, end, count)
        return [(position, entry) for position, raw in rows if (entry := _entry(raw)) is not None]

    async def _raw(self, command: str, start: str, end: str, count: int) -> list[tuple[str, bytes]]:
        with guarded():
            rows: Any = await getattr(self._redis, command)(STREAM, start, end, count=count)
        return [(position.decode(), fields.get(b"e", b"")) for position, fields in rows]

    async def _get_head(self) -> bytes:
        with guarded():
            return cast("bytes | None", await self._redis.get(HEAD)) or b""


def _entry(raw: bytes) -> Entry | None:
    try:
        return Entry.read(raw)
    except ValueError:
        return None


def _difference(entry: Entry, last: Head) -> str:
    if entry.n > last.n + 1:
        return f"entries {last.n + 1} to {entry.n - 1} are missing"
    if entry.n <= last.n:
        return f"entry {entry.n} comes after entry {last.n}: one of them was added"
    return f"entry {last.n} was changed: it is not what entry {entry.n} follows"


def _encode(position: str, seal: bytes) -> str:
    return base64.urlsafe_b64encode(seal + position.encode()).decode().rstrip("=")


def _decode(cursor: str, seal: bytes) -> str:
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        raw = b""
    if raw[:4] != seal or not _POSITION.fullmatch(raw[4:]):
        raise InvalidRequest.of("invalid_cursor", "use nextCursor of an earlier answer, unchanged", "cursor")
    return raw[4:].decode()
