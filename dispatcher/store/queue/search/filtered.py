"""Finds and counts the events that meet a filter: through an index where one has them, else through the log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dispatcher.model.queue import Count, EventFilter, Page
from dispatcher.store.archive.archive import Archive
from dispatcher.store.keys import queue as keys
from dispatcher.store.queue.search.candidates import INDEXED, candidate_ids, may_be_archived
from dispatcher.store.queue.search.cursors import IndexPosition, decode, seal_of
from dispatcher.store.queue.search.indexed import SLICE, count_index, matching, read_index
from dispatcher.store.queue.search.listing import LIST, MAX_SEARCH_S, SCAN_CHUNK, Budget, Portion, read_log
from dispatcher.store.queue.views.checks import checks_of
from dispatcher.store.queue.views.past import matching_archived, wanted_of
from dispatcher.store.queue.views.rows import is_left_open, read_reply, that_meet
from dispatcher.store.redis.scripts import Client, run


async def read_page(
    client: Client,
    partitions: Sequence[int],
    condition: EventFilter,
    cursor: str | None,
    portion: Portion,
    archive: Archive | None = None,
) -> Page:
    """A portion of them, newest first. Raises ``InvalidRequest`` for a cursor of another listing.

    A cursor goes on in the way in which its page was found.
    """
    after = decode(cursor, seal_of(condition)) if cursor is not None else None
    if after is None or isinstance(after, IndexPosition):
        at_most = INDEXED if after is None else None
        ids = await candidate_ids(
            client, partitions, condition, at_most=at_most, complete=portion.complete, archive=archive
        )
        if ids is not None or after is not None:
            past = archive if may_be_archived(condition) else None
            return await read_index(client, ids or [], condition, after, portion, past)
    return await read_log(client, partitions, condition, after, portion, archive)


async def count(
    client: Client, partitions: Sequence[int], condition: EventFilter, archive: Archive | None = None
) -> Count:
    """All that meet the condition where an index has them; else those that a page's search would meet."""
    ids = await candidate_ids(client, partitions, condition, at_most=None, complete=True, archive=archive)
    by_rows = is_left_open(condition)
    if ids is None:
        found = await _count_log(client, partitions, condition, by_rows=by_rows)
        return await _with_archived(archive, partitions, condition, found) if archive else found
    archived = await matching_archived(archive, ids, condition) if archive and may_be_archived(condition) else []
    if not by_rows:
        return Count(await count_index(client, ids, condition) + len(archived))
    pieces = range(0, len(ids), SLICE)
    counts = [len(await matching(client, ids[at : at + SLICE], condition, complete=True)) for at in pieces]
    return Count(sum(counts) + len(archived))


async def _with_archived(archive: Archive, partitions: Sequence[int], condition: EventFilter, found: Count) -> Count:
    """Archived events as well, as far down as the log was counted."""
    wanted = wanted_of(condition, archive.now_ms(), None, MAX_SEARCH_S)
    if found.searched_to_ms is not None:
        wanted = replace(wanted, least=(found.searched_to_ms, 0, 0))
    archived = await archive.count(partitions, wanted)
    searched_to_ms = archived.reached[0] if archived.reached else found.searched_to_ms
    return Count(found.matched + archived.matched, searched_to_ms)


async def _count_log(client: Client, partitions: Sequence[int], condition: EventFilter, *, by_rows: bool) -> Count:
    checks, budget, matched = checks_of(condition), Budget(), 0
    lower = "-" if condition.from_ms is None else str(condition.from_ms)
    upper = "+" if condition.to_ms is None else str(max(0, condition.to_ms - 1))
    positions = dict.fromkeys(partitions, upper)
    reached = 0
    while positions and not budget.is_spent:
        limit = SCAN_CHUNK if by_rows else -1
        calls = [LIST.call([keys.own(p)], upper, lower, SCAN_CHUNK, limit, checks) for p, upper in positions.items()]
        replies = [read_reply(one, p) for one, p in zip(await run(client, calls), positions, strict=True)]
        for partition, reply in zip(tuple(positions), replies, strict=True):
            budget.spend(reply.looked)
            matched += len(await that_meet(client, reply.rows, condition)) if by_rows else reply.found
            if reply.rest:
                positions[partition] = f"({reply.rest}"
            else:
                del positions[partition]
        reached = max((int(reply.rest.split("-")[0]) for reply in replies if reply.rest), default=0)
    return Count(matched, reached if positions else None)
