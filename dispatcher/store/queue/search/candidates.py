"""Ids of the only events that can meet a filter, where an index has them: failures, open events, events by their ids.

A million delivered events beside them cost nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from dispatcher.model.queue import EventFilter, Reason
from dispatcher.model.status import FAILURES, TERMINAL, Status
from dispatcher.model.term import Field, Term
from dispatcher.policy.event_filter.fields import is_event_id
from dispatcher.store.archive.archive import Archive
from dispatcher.store.keys import queue as keys
from dispatcher.store.queue.records import text
from dispatcher.store.queue.views.event_view import ENDED
from dispatcher.store.redis.scripts import Client, each_of

INDEXED = 20_000
"""So many ids are fetched for a page; of more, a page is found soon by reading the log."""
AT_ONCE = 5_000
"""Ids that one command gives; of a longer index they are fetched in pieces."""

OPEN = frozenset(Status) - TERMINAL
_WAITING = OPEN - {Status.DELIVERING, Status.AWAITING_RESULT}
_STATUSES_OF: dict[Reason, frozenset[Status]] = {reason: frozenset({status}) for status, reason in ENDED.items()} | {
    Reason.FILTERED: frozenset({Status.SKIPPED}),
    Reason.IN_FLIGHT: frozenset({Status.DELIVERING}),
    Reason.AWAITING_RESULT: frozenset({Status.AWAITING_RESULT}),
}


FAILURE_KEYS: dict[Status, Callable[[int], str]] = {
    Status.DEAD: keys.dead,
    Status.FAILED: keys.failed,
    Status.EXPIRED: keys.expired,
}


@dataclass(frozen=True, slots=True)
class _Source:
    """One index of one partition: how long it is, and the commands that give its ids."""

    key: str
    kind: str
    bounds: tuple[int | str, int | str] = ("-inf", "+inf")


async def candidate_ids(
    client: Client,
    partitions: Sequence[int],
    condition: EventFilter,
    *,
    at_most: int | None,
    complete: bool,
    archive: Archive | None = None,
) -> list[str] | None:
    """Newest ids first; None = no index has them, or it has more than ``at_most``."""
    named = _named(condition) or await _word_of_an_event(client, partitions, condition, archive)
    if named is not None:
        return sorted((one for one in named if int(one[-3:], 16) in partitions), reverse=True)
    wanted = _statuses(condition)
    if not wanted <= OPEN | FAILURES:
        return None
    sources = [source for partition in partitions for source in _sources(partition, wanted, condition)]
    sizes = await _answers(client, sources, _ask_size, complete)
    if at_most is not None and sum(size or 0 for size in sizes) > at_most:
        return None
    short = [source for source, size in zip(sources, sizes, strict=True) if size and size <= AT_ONCE]
    long = [source for source, size in zip(sources, sizes, strict=True) if size and size > AT_ONCE]
    found = {text(one) for ids in await _answers(client, short, _ask_ids, complete) for one in ids or ()}
    for source in long:
        found |= await _in_pieces(client, source)
    return sorted(found, reverse=True)


def _named(condition: EventFilter) -> set[str] | None:
    """Ids that the filter names in full, when it names any."""
    for term in condition.terms:
        is_whole = all(is_event_id(value.lower()) for value in term.values)
        if not term.negated and term.field is Field.ID and is_whole:
            return {value.lower() for value in term.values}
    return None


def may_be_archived(condition: EventFilter) -> bool:
    """False when only what is open or has failed can meet it, which stays in Redis."""
    return not _statuses(condition) <= OPEN | FAILURES


async def _word_of_an_event(
    client: Client, partitions: Sequence[int], condition: EventFilter, archive: Archive | None
) -> set[str] | None:
    """A bare word that is an event's id, and of an event that is there."""
    for term in condition.terms:
        word = term.values[0].lower() if term.field is Field.WORD and not term.negated else ""
        if is_event_id(word) and (partition := int(word[-3:], 16)) in partitions:
            is_there = await client.exists(keys.event(partition, word)) or (archive and await archive.find([word]))
            return {word} if is_there else None
    return None


def _statuses(condition: EventFilter) -> frozenset[Status]:
    """All that an event can have which meets the filter."""
    wanted = condition.statuses or frozenset(Status)
    for term in condition.terms:
        if term.field is Field.STATUS:
            wanted -= frozenset(map(Status, term.values))
        if term.field is Field.REASON and not term.negated:
            wanted &= frozenset().union(*(_STATUSES_OF.get(Reason(value), _WAITING) for value in term.values))
    return wanted


def _sources(partition: int, wanted: frozenset[Status], condition: EventFilter) -> list[_Source]:
    bounds = _failed_between(condition.terms)
    found = [_Source(FAILURE_KEYS[status](partition), "zset", bounds) for status in sorted(wanted & FAILURES)]
    still_open = wanted & OPEN
    if still_open <= {Status.DELIVERING, Status.AWAITING_RESULT}:
        found += [_Source(keys.flight(partition), "hash")] if Status.DELIVERING in still_open else []
        found += [_Source(keys.awaiting(partition), "zset")] if Status.AWAITING_RESULT in still_open else []
    else:
        found.append(_Source(keys.open_events(partition), "set"))
    return found


def _failed_between(terms: Sequence[Term]) -> tuple[int | str, int | str]:
    least: int | str = "-inf"
    below: int | str = "+inf"
    for term in terms:
        if term.field is Field.SINCE and not term.negated:
            least = term.bounds[0].least or 0
        if term.field is Field.UNTIL and not term.negated:
            below = f"({term.bounds[0].below or 0}"
    return least, below


def _ask_size(pipeline: Any, source: _Source) -> None:
    if source.kind == "zset":
        pipeline.zcount(source.key, *source.bounds)
    elif source.kind == "set":
        pipeline.scard(source.key)
    else:
        pipeline.hlen(source.key)


def _ask_ids(pipeline: Any, source: _Source) -> None:
    if source.kind == "zset":
        pipeline.zrangebyscore(source.key, *source.bounds)
    elif source.kind == "set":
        pipeline.smembers(source.key)
    else:
        pipeline.hkeys(source.key)


async def _answers(
    client: Client, sources: Sequence[_Source], ask: Callable[[Any, _Source], None], complete: bool
) -> list[Any]:
    """None for a source that cannot be read, which raises when ``complete``."""
    if not sources:
        return []
    pipeline: Any = client.pipeline(transaction=False)
    for source in sources:
        ask(pipeline, source)
    replies = await each_of(pipeline)
    failed = next((reply for reply in replies if isinstance(reply, Exception)), None)
    if failed is not None and complete:
        raise failed
    return [None if isinstance(reply, Exception) else reply for reply in replies]


async def _in_pieces(client: Client, source: _Source) -> set[str]:
    """All members of a long index; the time in it is looked at again by whoever reads the events."""
    found: set[str] = set()
    if source.kind == "zset":
        async for member, _ in client.zscan_iter(source.key, count=AT_ONCE):
            found.add(text(member))
    elif source.kind == "set":
        async for member in client.sscan_iter(source.key, count=AT_ONCE):
            found.add(text(member))
    else:
        async for member, _ in client.hscan_iter(source.key, count=AT_ONCE):
            found.add(text(member))
    return found
