"""Lists events newest first across partitions, through their logs. The order is (stream ms, stream seq, partition).

A page ends at a position in that order. Partitions are searched for heads, without what emitters wrote; documents are
fetched of those events alone that are on the page. A search that finds little ends early, and says how far it came.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import structlog

from dispatcher.errors import StoreUnavailable
from dispatcher.model.queue import EventFilter, Page
from dispatcher.store.archive.archive import Archive
from dispatcher.store.archive.reading.search import Found
from dispatcher.store.keys import queue as keys
from dispatcher.store.queue.search.cursors import Position, encode, seal_of
from dispatcher.store.queue.views.checks import checks_of
from dispatcher.store.queue.views.past import row_of, wanted_of
from dispatcher.store.queue.views.rows import Row, is_left_open, read_reply, shown, that_fit, that_meet
from dispatcher.store.redis.scripts import Client, each, script

SCAN_CHUNK = 250
"""Log entries that one call looks at: about a millisecond of Redis."""
MAX_LOOKED = 50_000
"""Log entries that one page looks at, and ..."""
MAX_SEARCH_S = 2.0
"""... the time that it takes; then it ends, with a cursor."""
ROUND_PER_S = 8_000
"""Log entries that a round looks at for each second that a page may take: about a tenth of it."""
LEAST_CHUNK = 50
LEAST_LOOKED = 1_000
"""Log entries that a page looks at however long it takes: whoever asks again gets further."""

PAGE_BYTES = 1 << 20
"""Documents on one page: it ends early, with a cursor, before they are more, unless its first alone is."""

LIST = script("queue/list")

log = structlog.get_logger("store")


@dataclass(frozen=True, slots=True)
class Portion:
    """As much of a list as one page has.

    ``complete``: raises for a partition that cannot be read, which otherwise is left out. ``payloads``: with what the
    emitters wrote, ``PAGE_BYTES`` of it. ``within_s``: about the longest that is searched.
    """

    limit: int
    complete: bool
    payloads: bool
    within_s: float = MAX_SEARCH_S

    @property
    def most_bytes(self) -> int:
        return PAGE_BYTES if self.payloads else sys.maxsize


@dataclass(slots=True)
class _Scan:
    """Progress of reading one partition."""

    partition: int
    upper: str
    found: list[Row] = field(default_factory=list)
    size: int = 0
    reached: Position | None = None
    done: bool = False

    def has(self, limit: int, most_bytes: int) -> bool:
        """Enough for a page, or all that there is."""
        return self.done or len(self.found) >= limit or self.size >= most_bytes

    def went_on(self, rows: list[Row], rest: str) -> None:
        self.found += rows
        self.size += sum(row.size for row in rows)
        self.done = not rest
        if rest:
            self.reached = _position(rest, self.partition)
            self.upper = f"({rest}"


class Budget:
    """Work of one page: so many events, so much time."""

    def __init__(self, within_s: float = MAX_SEARCH_S) -> None:
        self._clock = asyncio.get_running_loop().time
        self._within_s = within_s
        self._until_s = self._clock() + within_s
        self._left = MAX_LOOKED
        self._looked = 0

    def chunk(self, partitions: int) -> int:
        """Log entries of each of so many partitions that one round looks at: fewer where a page is to be quick."""
        return min(SCAN_CHUNK, max(LEAST_CHUNK, int(self._within_s * ROUND_PER_S / partitions)))

    def spend(self, looked: int) -> None:
        self._left -= looked
        self._looked += looked

    def end(self) -> None:
        """Nothing more is looked at."""
        self._left = 0

    @property
    def left_s(self) -> float:
        return max(0.0, self._until_s - self._clock())

    @property
    def is_spent(self) -> bool:
        return self._left <= 0 or (self._looked >= LEAST_LOOKED and self._clock() >= self._until_s)


async def read_log(
    client: Client,
    partitions: Sequence[int],
    condition: EventFilter,
    after: Position | None,
    portion: Portion,
    archive: Archive | None = None,
) -> Page:
    """A portion of the events that meet ``condition``, and the cursor of the next page."""
    upper = "+" if condition.to_ms is None else f"{max(0, condition.to_ms - 1)}"
    scans = [_Scan(p, _below(after, p) if after else upper) for p in partitions]
    limit, most_bytes, complete = portion.limit, portion.most_bytes, portion.complete
    checks, budget = checks_of(condition), Budget(portion.within_s)
    lower = "-" if condition.from_ms is None else str(condition.from_ms)
    most = SCAN_CHUNK if is_left_open(condition) else None
    while not budget.is_spent and (waiting := [scan for scan in scans if not scan.has(limit, most_bytes)]):
        chunk = budget.chunk(len(waiting))
        calls = [
            LIST.call([keys.own(one.partition)], one.upper, lower, chunk, most or limit - len(one.found), checks)
            for one in waiting
        ]
        for scan, answer in zip(waiting, await each(client, calls), strict=True):
            if not isinstance(answer, Exception):
                reply = read_reply(answer, scan.partition)
                budget.spend(reply.looked)
                scan.went_on(await that_meet(client, reply.rows, condition), reply.rest)
            elif complete:
                raise answer
            else:
                scan.done = True
    if archive is not None:
        wanted = wanted_of(condition, archive.now_ms(), after, budget.left_s)
        wanted = replace(wanted, least=_frontier(scans), limit=limit, most_bytes=most_bytes)
        try:
            found = await archive.search(partitions, wanted, complete=complete)
        except StoreUnavailable as error:
            found = _left_out(error, scans, complete=complete)
        scans.append(_past(found, scans))
        if found.ended_early:
            budget.end()
    rows, last = _merge(scans, limit, most_bytes)
    events = await shown(client, rows, complete=complete, payloads=portion.payloads, archive=archive)
    searched_to_ms = last[0] if last and budget.is_spent and len(rows) < limit else None
    return Page(events, encode(last, seal_of(condition)) if last else None, searched_to_ms)


def _merge(scans: list[_Scan], limit: int, most_bytes: int) -> tuple[list[Row], Position | None]:
    """The rows of the page, and where it ends; None = there is no more."""
    # What lies beyond the least advanced unfinished partition may have newer neighbours that were not read yet.
    frontier = _frontier(scans)
    found = sorted((row for scan in scans for row in scan.found), key=_of_row, reverse=True)
    if frontier is not None:
        found = [row for row in found if _of_row(row) >= frontier]
    rows = found[: that_fit(found[:limit], most_bytes)]
    if len(rows) < len(found):
        return rows, _of_row(rows[-1])
    if frontier is None or len(rows) < limit:
        return rows, frontier
    return rows, _of_row(rows[-1])


def _frontier(scans: list[_Scan]) -> Position | None:
    return max((scan.reached for scan in scans if not scan.done and scan.reached), default=None)


def _left_out(error: StoreUnavailable, scans: list[_Scan], *, complete: bool) -> Found:
    """A page without what is archived, that goes on behind its last event: whoever follows to the end is told then."""
    rows = [row for scan in scans for row in scan.found]
    if complete or not rows:
        raise error
    log.warning("archive left out of a list", error=str(error))
    return Found(reached=min(map(_of_row, rows)))


def _past(found: Found, scans: list[_Scan]) -> _Scan:
    """Archived events, without those that moved since they were found in Redis."""
    known = {row.event_id for scan in scans for row in scan.found}
    rows = [row_of(event) for _, event in found.events if event.id not in known]
    return _Scan(-1, "", rows, reached=found.reached, done=found.reached is None)


def _of_row(row: Row) -> Position:
    return _position(row.stream_id, row.partition)


def _position(stream_id: str, partition: int) -> Position:
    ms, sequence = stream_id.split("-")
    return int(ms), int(sequence), partition


def _below(after: Position, partition: int) -> str:
    ms, sequence, at = after
    return f"{ms}-{sequence}" if partition < at else f"({ms}-{sequence}"
