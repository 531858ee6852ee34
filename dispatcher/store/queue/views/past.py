"""Archived events as rows and views of the queue: what the lists and looks of Redis are complemented with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import orjson

from dispatcher.model.event import EventState
from dispatcher.model.queue import EventFilter
from dispatcher.store.archive.archive import Archive
from dispatcher.store.archive.format.archived import ArchivedEvent
from dispatcher.store.archive.reading.search import ABOVE_ALL, Place, Wanted
from dispatcher.store.queue.records import damaged_is_absent
from dispatcher.store.queue.views.event_view import EventView
from dispatcher.store.queue.views.rows import Row
from dispatcher.store.queue.views.sifting import sieve_of

_SAID = frozenset({"a", "b", "e"})
"""Of an attempt: what its host answered."""


def row_of(event: ArchivedEvent) -> Row:
    """As ``list.lua`` gives one, with the document at hand."""
    partition, status = int(event.id[-3:], 16), EventState.from_stored(event.state).status.value
    document = event.document
    return Row(partition, str(event.position), event.id, _head(document), len(document), event.state, status, document)


def view_of(event: ArchivedEvent) -> EventView:
    """As a look at it in Redis would be: it is in no place, and nothing holds it back."""
    return EventView(
        document=event.document,
        state=event.state,
        in_flight=False,
        head="",
        due_ms=None,
        parked=False,
        owner="",
        lease_until_ms=0,
        busy=0,
        cap=None,
        paused=False,
        circuit_ms=0,
        slow_ms=0,
        rate="",
        crowded_ms=0,
        lane_due="",
        now_ms=0,
    )


def without_content(event: ArchivedEvent, document: bytes, now_ms: int) -> ArchivedEvent | None:
    """As ``expunge.lua`` leaves an event; None = it has been expunged. ``document``: the one without content."""
    state = orjson.loads(event.state)
    if state.get("g"):
        return None
    state["g"] = now_ms
    state.pop("m", None)
    fields = event.fields | {"doc": document, "state": orjson.dumps(state)}
    for number, record in event.attempts.items():
        attempt = orjson.loads(record)
        fields[f"a{number}"] = orjson.dumps({name: value for name, value in attempt.items() if name not in _SAID})
    return replace(event, fields=fields)


def wanted_of(condition: EventFilter, now_ms: int, after: Place | None, within_s: float) -> Wanted:
    """The condition as the archive is searched with it, below a place of its lists."""
    newest = ABOVE_ALL if condition.to_ms is None else (max(0, condition.to_ms), 0, 0)
    below = newest if after is None else min(after, newest)
    return Wanted(sieve_of(condition), now_ms, below=below, from_ms=condition.from_ms or 0, within_s=within_s)


async def matching_archived(archive: Archive, ids: Sequence[str], condition: EventFilter) -> list[Row]:
    """Those of some ids that are archived and meet the condition."""
    sieve, rows = sieve_of(condition), list[Row]()
    for event in (await archive.find(ids)).values() if ids else ():
        with damaged_is_absent(event.id):
            if sieve.holds(event):
                rows.append(row_of(event))
    return rows


def _head(document: bytes) -> bytes:
    """Without creator and payload, which come last: a quote within a string has a backslash before it."""
    start = document.index(b"\n", document.index(b"\n") + 1) + 1
    end = min((at for name in (b',"c":', b',"d":') if (at := document.find(name, start)) >= 0), default=-1)
    return document if end < 0 else document[:end] + b"}"
