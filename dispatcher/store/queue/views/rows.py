"""Rows of ``list.lua``'s replies: events as they are found, and as they are shown. Never decides which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from dispatcher.model.event_type import EventType
from dispatcher.model.queue import EventFilter, Reason, StoredEvent
from dispatcher.model.status import Status
from dispatcher.model.term import Field
from dispatcher.store.archive.archive import Archive
from dispatcher.store.keys import queue as keys
from dispatcher.store.packing.documents import packed_at, unpacked
from dispatcher.store.queue.records import damaged_is_absent, stored_event, text
from dispatcher.store.queue.views.checks import check_list
from dispatcher.store.queue.views.event_view import MAY_BE_HELD, event_view, explain
from dispatcher.store.queue.views.paused_types import PausedTypes
from dispatcher.store.queue.views.sifting import has_in_payload
from dispatcher.store.redis.scripts import Client, each, each_of, script

_LOOK = script("queue/look")
_FIRST_ROW = 3
_WIDTH = 6
_LEFT_OPEN = frozenset({Field.REASON, Field.PAYLOAD})
_UNEXPLAINED = frozenset({Status.QUEUED, Status.HELD, Status.RETRYING})
"""Why an event that is one of these waits, only a look at it tells."""


class Row(NamedTuple):
    """One event that was found. ``head``: its document without creator and payload; ``size``: of all, unpacked."""

    partition: int
    stream_id: str
    event_id: str
    head: bytes
    size: int
    state: bytes
    status: str
    document: bytes | None = None
    """The whole document as it is stored, where it is at hand."""


class Reply(NamedTuple):
    """``rest``: where to go on; empty = there is no more. ``looked``: events looked at, ``found``: those that match."""

    rest: str
    looked: int
    found: int
    rows: list[Row]


def read_reply(reply: list[Any], partition: int) -> Reply:
    rows = []
    for at in range(_FIRST_ROW, len(reply), _WIDTH):
        stream_id, event_id, head, size, state, status = reply[at : at + _WIDTH]
        packed = packed_at(head)
        document, head = (None, head) if packed < 0 else (head, head[:packed])
        rows.append(Row(partition, text(stream_id), text(event_id), head, size, state, text(status), document))
    return Reply(text(reply[0]), int(reply[1]), int(reply[2]), rows)


def is_left_open(condition: EventFilter) -> bool:
    """The script may have found rows that do not meet the condition."""
    return any(term.field in _LEFT_OPEN for term in condition.terms)


async def that_meet(client: Client, rows: list[Row], condition: EventFilter) -> list[Row]:
    """Rows that meet also what the script left open: reasons, and what packed contents hold."""
    return await _of_reason(client, _of_payload(rows, condition), condition)


def _of_payload(rows: list[Row], condition: EventFilter) -> list[Row]:
    """The script said nothing of payloads where it gave a packed document, whole."""
    checks = [check for check in check_list(condition) if check["field"] == Field.PAYLOAD]
    if not checks:
        return rows
    found = []
    for row in rows:
        with damaged_is_absent(row.event_id):
            if row.document is None or has_in_payload(unpacked(row.document), checks):
                found.append(row)
    return found


async def _of_reason(client: Client, rows: list[Row], condition: EventFilter) -> list[Row]:
    """Those whose reason is asked for; of those that wait only a look at each tells it."""
    terms = [term for term in condition.terms if term.field is Field.REASON]
    open_rows = [row for row in rows if terms and row.status in _UNEXPLAINED]
    if not open_rows:
        return rows
    calls = [_LOOK.call([keys.own(row.partition)], row.event_id) for row in open_rows]
    replies = await each(client, calls)
    reasons = await _reasons(client, open_rows, replies)

    def asked_for(row: Row) -> bool:
        if row.status not in _UNEXPLAINED:
            return True
        reason = reasons.get(row.event_id)
        return reason is not None and all((reason in term.values) != term.negated for term in terms)

    return [row for row in rows if asked_for(row)]


async def _reasons(client: Client, rows: Sequence[Row], replies: Sequence[Any]) -> dict[str, Reason]:
    """By event; of those that could be read."""
    held: frozenset[EventType] | None = None
    reasons: dict[str, Reason] = {}
    for row, reply in zip(rows, replies, strict=True):
        if isinstance(reply, Exception) or not reply:
            continue
        with damaged_is_absent(row.event_id):
            seen = event_view(reply)
            if held is None:
                held = frozenset(one.kind for one in await PausedTypes(client).all(seen.now_ms))
            reason = explain(row.event_id, seen).reason
            is_held = reason in MAY_BE_HELD and _type_of(row) in held
            reasons[row.event_id] = Reason.TYPE_PAUSED if is_held else reason
    return reasons


def _type_of(row: Row) -> EventType:
    return stored_event(row.event_id, row.head, row.state, row.status).event.type


def that_fit(rows: Sequence[Row], most_bytes: int) -> int:
    """Rows of ``most_bytes`` together from the first on, which always fits."""
    size = 0
    for count, row in enumerate(rows):
        size += row.size
        if count and size > most_bytes:
            return count
    return len(rows)


async def shown(
    client: Client, rows: Sequence[Row], *, complete: bool, payloads: bool, archive: Archive | None = None
) -> list[StoredEvent]:
    """The events of rows, with creators and payloads or without. ``complete``: raises for what cannot be read."""
    documents = await _documents(client, rows, complete) if payloads else [row.head for row in rows]
    if archive is not None and None in documents:
        documents = await _that_moved(archive, rows, documents)
    events = []
    for row, document in zip(rows, documents, strict=True):
        if document is None:
            continue
        with damaged_is_absent(row.event_id):
            events.append(stored_event(row.event_id, document, row.state, row.status))
    return events


async def _that_moved(archive: Archive, rows: Sequence[Row], documents: Sequence[bytes | None]) -> list[bytes | None]:
    """With those that were archived since their rows were found."""
    missing = [row.event_id for row, document in zip(rows, documents, strict=True) if document is None]
    found = await archive.find(missing)
    moved = {event_id: event.document for event_id, event in found.items()}
    return [document or moved.get(row.event_id) for row, document in zip(rows, documents, strict=True)]


async def _documents(client: Client, rows: Sequence[Row], complete: bool) -> list[bytes | None]:
    """None where it is gone meanwhile, or cannot be read."""
    asked = [row for row in rows if row.document is None]
    fetched = iter(await _fetched(client, asked, complete=complete) if asked else ())
    return [next(fetched) if row.document is None else row.document for row in rows]


async def _fetched(client: Client, rows: Sequence[Row], *, complete: bool) -> list[bytes | None]:
    pipeline: Any = client.pipeline(transaction=False)
    for row in rows:
        pipeline.hget(keys.event(row.partition, row.event_id), "doc")
    replies = await each_of(pipeline)
    failed = next((reply for reply in replies if isinstance(reply, Exception)), None)
    if failed is not None and complete:
        raise failed
    return [None if isinstance(reply, Exception) else reply for reply in replies]
