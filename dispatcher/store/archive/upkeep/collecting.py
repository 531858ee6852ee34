"""Collects what may be archived of a partition: events that ended well long ago, in the order of its log."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from dispatcher.model.event import EventState
from dispatcher.model.status import COMPLETE
from dispatcher.store.archive.format.archived import ArchivedEvent, Position
from dispatcher.store.keys import queue as keys
from dispatcher.store.packing.documents import unpacked
from dispatcher.store.redis.connection import guarded
from dispatcher.store.redis.scripts import Client, each_command, fields_of

WALKED = 1000
"""Entries of the log that one step looks at: events of a segment at most, which one script drops."""
AT_ONCE = 250
"""Events that one round trip reads at most."""
FIRST = 10
"""Events that the first one reads: they say how large the others are, about."""
SEGMENT_BYTES = 8 * 1024 * 1024
"""Bytes of events that a step reads, about: they are in memory at once."""
LEAST_LEFT_MS = 3_600_000
"""Least time left to an event that is worth writing."""
START = "-"
_SEALED = re.compile(rb"v1\.[0-9a-f]{8}\.[A-Za-z0-9+/]{38,}")
_UNREADABLE = (ValueError, LookupError, TypeError, AttributeError)


@dataclass(slots=True)
class Collected:
    """``rest``: where the next step goes on in the log; ``START`` = there is nothing more that is old enough."""

    events: list[ArchivedEvent] = field(default_factory=list)
    rest: str = START

    @property
    def size(self) -> int:
        return sum(len(value) for event in self.events for value in event.fields.values())


async def collect(client: Client, partition: int, start: str, until_ms: int, now_ms: int) -> Collected:
    """Events that were accepted, and have ended, before ``until_ms``; from ``start`` on."""
    with guarded():
        entries = await client.xrange(keys.event_log(partition), start, str(until_ms - 1), WALKED)
    places = {fields[b"i"].decode(): place.decode() for place, fields in entries}
    ended, collected = await _that_ended(client, partition, list(places), until_ms), Collected()
    size, at, count = 0, 0, FIRST
    while at < len(ended) and size < SEGMENT_BYTES:
        some = ended[at : at + count]
        at += len(some)
        for event_id, fields, left_ms in await _read(client, partition, some):
            size += sum(map(len, fields.values()))
            if left_ms > LEAST_LEFT_MS and is_open_text(fields):
                position = Position.of(places[event_id])
                collected.events.append(ArchivedEvent(event_id, position, now_ms + left_ms, fields))
        count = max(1, min(AT_ONCE, (SEGMENT_BYTES - size) * at // max(1, size)))
    if at < len(ended):
        collected.rest = f"({places[ended[at - 1]]}"
    elif len(entries) == WALKED:
        collected.rest = f"({entries[-1][0].decode()}"
    return collected


def is_open_text(fields: dict[str, bytes]) -> bool:
    """False for what is no text, and for what has a sealed value in it: its key could never be dropped."""
    return not any(_SEALED.search(value) or not _is_text(value) for value in fields.values())


def _is_text(value: bytes) -> bool:
    try:
        return bool(value.decode())
    except UnicodeDecodeError:
        return False


async def _that_ended(client: Client, partition: int, ids: Sequence[str], until_ms: int) -> list[str]:
    """Those that succeeded, or need nobody for another reason. What failed stays, since somebody may redeliver it."""
    found = list[str]()
    for at in range(0, len(ids), AT_ONCE):
        some = ids[at : at + AT_ONCE]
        states = await each_command(client, [("HGET", keys.event(partition, one), "state") for one in some])
        for event_id, state in zip(some, states, strict=True):
            if isinstance(state, bytes) and _has_ended(state, until_ms):
                found.append(event_id)
    return found


def _has_ended(stored: bytes, until_ms: int) -> bool:
    try:
        state = EventState.from_stored(stored)
    except _UNREADABLE:
        return False
    return state.status in COMPLETE and state.settled_ms is not None and state.settled_ms < until_ms


async def _read(client: Client, partition: int, ids: Sequence[str]) -> list[tuple[str, dict[str, bytes], int]]:
    """Fields, and what is left of the retention in ms; without those that are gone meanwhile, or are damaged."""
    if not ids:
        return []
    names = [keys.event(partition, event_id) for event_id in ids]
    replies = iter(await each_command(client, [(word, name) for name in names for word in ("HGETALL", "PTTL")]))
    found = []
    for event_id, stored, left_ms in zip(ids, replies, replies, strict=True):
        fields = {} if isinstance(stored, Exception) else fields_of(stored)
        if isinstance(left_ms, int) and b"doc" in fields and b"state" in fields:
            with contextlib.suppress(ValueError):  # cannot be unpacked: it is damaged, or a newer version's
                plain = fields | {b"doc": unpacked(fields[b"doc"])}
                found.append((event_id, {name.decode(): value for name, value in plain.items()}, left_ms))
    return found
