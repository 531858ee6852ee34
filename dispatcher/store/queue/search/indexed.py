"""Lists and counts events whose ids an index has: newest first by acceptance, a slice of ids after the other.

Within a slice the order is exact (creation, then the place in the account's order); slices follow the time in the ids.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from dispatcher.ids import event_ms
from dispatcher.model.event import EventState
from dispatcher.model.queue import EventFilter, Page
from dispatcher.store.archive.archive import Archive
from dispatcher.store.keys import queue as keys
from dispatcher.store.queue.records import damaged_is_absent
from dispatcher.store.queue.search.cursors import IndexPosition, encode, seal_of
from dispatcher.store.queue.search.listing import LIST, Budget, Portion
from dispatcher.store.queue.views.checks import checks_of
from dispatcher.store.queue.views.past import matching_archived
from dispatcher.store.queue.views.rows import Reply, Row, read_reply, shown, that_meet
from dispatcher.store.redis.scripts import Client, each

SLICE = 1000
"""Ids that are looked at together, in calls of ``CALL`` each."""
CALL = 250
"""Ids that one call looks at: about a millisecond of Redis."""
LOOK_AGAIN = 100
"""Events whose reason is asked for together."""
_ABOVE_ALL = 1 << 48

_Key = tuple[int, int, str]
"""Creation in ms, sequence, id: the order of events."""


async def read_index(
    client: Client,
    ids: Sequence[str],
    condition: EventFilter,
    after: IndexPosition | None,
    portion: Portion,
    archive: Archive | None = None,
) -> Page:
    """As ``read_log``, of these ids only, which are sorted, newest first. ``archive``: where some of them may be."""
    at = 0 if after is None else _first_at_most(ids, after.anchor)
    bound: _Key = (_ABOVE_ALL, 0, "") if after is None else (after.created_ms, after.sequence, after.event_id)
    limit, most_bytes = portion.limit, portion.most_bytes
    rows: list[Row] = []
    size = 0
    last: IndexPosition | None = None
    searched_to_ms = None
    budget = Budget(portion.within_s)
    while at < len(ids):
        some = ids[at : at + SLICE]
        async for key, row in _slice(client, some, condition, portion.complete, archive):
            if key >= bound:
                continue
            if len(rows) == limit or (rows and size + row.size > most_bytes):
                last = _behind(some[0], rows[-1])
                break
            rows.append(row)
            size += row.size
        if last is not None:
            break
        at, bound = at + SLICE, (_ABOVE_ALL, 0, "")
        budget.spend(len(some))
        if at < len(ids) and (budget.is_spent or len(rows) == limit):
            last = IndexPosition(_hex(ids[at]), _ABOVE_ALL, 0, "")
            searched_to_ms = event_ms(ids[at]) if len(rows) < limit else None
            break
    events = await shown(client, rows, complete=portion.complete, payloads=portion.payloads, archive=archive)
    return Page(events, encode(last, seal_of(condition)) if last else None, searched_to_ms)


async def matching(client: Client, ids: Sequence[str], condition: EventFilter, *, complete: bool) -> list[Row]:
    """Those of some ids that meet the condition, in no order."""
    return await that_meet(client, await _found(client, ids, condition, complete), condition)


async def _found(client: Client, ids: Sequence[str], condition: EventFilter, complete: bool) -> list[Row]:
    """Those that meet what the script can tell."""
    replies = await _replies(client, ids, condition, len(ids), complete)
    return [row for _, reply in replies for row in reply.rows]


async def count_index(client: Client, ids: Sequence[str], condition: EventFilter) -> int:
    """The number of these ids that meet the condition. Raises for a partition that cannot be read."""
    total = 0
    for at in range(0, len(ids), SLICE):
        replies = await _replies(client, ids[at : at + SLICE], condition, -1, complete=True)
        total += sum(reply.found for _, reply in replies)
    return total


async def _slice(
    client: Client, ids: Sequence[str], condition: EventFilter, complete: bool, archive: Archive | None
) -> AsyncIterator[tuple[_Key, Row]]:
    """Matching events of a slice, newest first. What takes a second look at each is asked as far as somebody reads."""
    rows, keyed = await _found(client, ids, condition, complete), list[tuple[_Key, Row]]()
    if archive is not None:
        known = {row.event_id for row in rows}
        rows += await matching_archived(archive, [one for one in ids if one not in known], condition)
    for row in rows:
        with damaged_is_absent(row.event_id):
            keyed.append((_key(row), row))
    keyed.sort(key=lambda one: one[0], reverse=True)
    for at in range(0, len(keyed), LOOK_AGAIN):
        piece = keyed[at : at + LOOK_AGAIN]
        meeting = {row.event_id for row in await that_meet(client, [row for _, row in piece], condition)}
        for one in piece:
            if one[1].event_id in meeting:
                yield one


async def _replies(
    client: Client, ids: Sequence[str], condition: EventFilter, limit: int, complete: bool
) -> list[tuple[int, Reply]]:
    """Of every call, until each id was looked at; a call that has read much leaves some to the next."""
    checks, found = checks_of(condition), list[tuple[int, Reply]]()
    left = _by_partition(ids)
    while left:
        calls = [LIST.call([keys.own(p)], "ids", "", 0, limit, checks, *some) for p, some in left]
        again = []
        for (partition, some), answer in zip(left, await each(client, calls), strict=True):
            if not isinstance(answer, Exception):
                reply = read_reply(answer, partition)
                found.append((partition, reply))
                if reply.rest:
                    again.append((partition, some[int(reply.rest) :]))
            elif complete:
                raise answer
        left = again
    return found


def _by_partition(ids: Sequence[str]) -> list[tuple[int, Sequence[str]]]:
    """In pieces of ``CALL``."""
    parts: dict[int, list[str]] = {}
    for one in ids:
        parts.setdefault(int(one[-3:], 16), []).append(one)
    return [(p, some[at : at + CALL]) for p, some in parts.items() for at in range(0, len(some), CALL)]


def _key(row: Row) -> _Key:
    state = EventState.from_stored(row.state)
    return state.created_ms, state.sequence, _hex(row.event_id)


def _behind(anchor: str, row: Row) -> IndexPosition:
    return IndexPosition(_hex(anchor), *_key(row))


def _hex(event_id: str) -> str:
    return event_id.replace("-", "")


def _first_at_most(ids: Sequence[str], anchor: str) -> int:
    """The first of ids, newest first, that is not newer than the anchor."""
    return next((at for at, one in enumerate(ids) if _hex(one) <= anchor), len(ids))
