"""Reads the audit log: newest first with a filter, or from its beginning to check the chain. Writes nothing."""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any, cast

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from dispatcher.clock import DAY_MS
from dispatcher.errors import InvalidRequest, StoreDamaged
from dispatcher.model.audit_entry import Entry, Head
from dispatcher.store.audit_log.log import DAMAGED_HEAD, DAMAGED_STREAM, read_head
from dispatcher.store.keys import definitions as keys
from dispatcher.store.redis.connection import guarded

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
        action = entry.action()
        return (
            self.client_id in (None, action.author.client_id)
            and self.action in (None, action.name)
            and self.object_id in (None, action.object_id)
            and (self.from_ms is None or action.at_ms >= self.from_ms)
            and (self.to_ms is None or action.at_ms < self.to_ms)
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
class Kept:
    """Share of the log that its writers keep."""

    ms: int
    entries: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """Result of a walk along the chain. ``first``, ``head``: the oldest and the newest entry that are kept."""

    entries: int
    first: int
    head: Head
    broken: tuple[str, ...]

    @property
    def well(self) -> bool:
        return not self.broken


class AuditReader:
    """Reads what ``AuditLog`` writes. ``StoreDamaged`` for keys that hold something else."""

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

    async def newest(self, limit: int) -> list[Entry]:
        """The newest first; ``limit`` at most."""
        return [entry for _, entry in await self._range("xrevrange", "+", "-", limit)]

    async def verify(self, kept: Kept | None = None) -> Verdict:
        """Check that each entry holds the hash of the one before, none is missing, and the last one is the head.

        With ``kept`` also that those missing at the beginning were to go.
        """
        try:
            return await self._verified(kept)
        except StoreDamaged as error:
            return Verdict(0, 0, Head(), (str(error),))

    async def head(self) -> Head:
        """The newest entry that was written."""
        with _of_its_type(DAMAGED_HEAD):
            stored = cast("bytes | None", await self._redis.get(keys.AUDIT_HEAD))
        with _of_its_type(DAMAGED_STREAM):
            await self._redis.xlen(keys.AUDIT_STREAM)
        return read_head(stored or b"")

    async def _verified(self, kept: Kept | None) -> Verdict:
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
        if kept and first > 1 and not await self._outlived(kept, count):
            broken.append(_cut_off(first, kept))
        broken += await self._end_problems(last)
        return Verdict(count, first, last, tuple(broken))

    async def _end_problems(self, last: Head) -> list[str]:
        """Check that ``last``, the newest entry that is kept, is the newest that was written."""
        try:
            head = await self.head()
        except StoreDamaged:
            return [_damaged_head(last)]
        if head.n < last.n or (head.n == last.n and head != last):
            return [f"entry {last.n} is not the one that was written as the newest: it was changed or added"]
        if head.n > last.n and not await self._continues(last):
            return [f"entries {last.n + 1} to {head.n} are missing at the end"]
        return []

    async def _outlived(self, kept: Kept, count: int) -> bool:
        """True when the entry before the oldest that is kept was to go: by its age at the newest, or by number.

        Writers let go of entries in whole blocks, so more than ``kept`` may be there, but never less.
        """
        if count >= kept.entries:
            return True
        with guarded():
            oldest: Any = (await self._redis.xrange(keys.AUDIT_STREAM, count=1))[0]
            newest: Any = (await self._redis.xrevrange(keys.AUDIT_STREAM, count=1))[0]
        gone_at = oldest[1].get(b"p") or oldest[0]
        return _ms(gone_at) < _ms(newest[0]) - kept.ms

    async def _continues(self, last: Head) -> bool:
        """True when entries were written behind ``last`` while the chain was walked."""
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
        with _of_its_type(DAMAGED_STREAM):
            rows: Any = await getattr(self._redis, command)(keys.AUDIT_STREAM, start, end, count=count)
        return [(position.decode(), fields.get(b"e", b"")) for position, fields in rows]


@contextlib.contextmanager
def _of_its_type(damage: str) -> Iterator[None]:
    """``StoreDamaged`` with this text where Redis finds a key of another type."""
    try:
        with guarded():
            yield
    except ResponseError as error:
        if not str(error).startswith("WRONGTYPE"):
            raise
        raise StoreDamaged(damage) from None


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


def _cut_off(first: int, kept: Kept) -> str:
    return (
        f"entries 1 to {first - 1} are missing at the beginning, and neither their age nor their number let them go "
        f"(kept are {kept.entries} entries for {kept.ms / DAY_MS:g} days: was it less before?)"
    )


def _damaged_head(last: Head) -> str:
    remedy = f"SET '{keys.AUDIT_HEAD}' {last.text()}" if last.n else f"DEL '{keys.AUDIT_HEAD}'"
    newest = f"entry {last.n} is the newest that was written" if last.n else "nothing was ever written"
    return (
        f"{keys.AUDIT_HEAD} is damaged: it does not name the newest entry, and nothing can be changed until it does; "
        f"if {newest} (the API's log has each one's number and hash), `redis-cli {remedy}`"
    )


def _ms(position: bytes) -> int:
    return int(position.partition(b"-")[0])


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
