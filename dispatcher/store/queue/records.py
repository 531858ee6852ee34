"""Reads the flat replies of the queue's scripts into the values of ``dispatcher.model.queue``."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import orjson
import structlog

from dispatcher.model.attempt import Attempt
from dispatcher.model.event import Event, EventState
from dispatcher.model.event_type import EventType
from dispatcher.model.queue import UNSAID, Change, LaneView, PartitionView, Pause, StoredEvent
from dispatcher.model.status import Status
from dispatcher.store.packing.documents import unpacked

LANE_FIELDS = 15
UNREADABLE = (ValueError, LookupError, TypeError, AttributeError)
"""Errors of reading a record that is damaged, or holds a word that only a newer version knows."""

log = structlog.get_logger("store")


@contextlib.contextmanager
def damaged_is_absent(event_id: str) -> Iterator[None]:
    """One record that cannot be read is logged, and left out where many are shown."""
    try:
        yield
    except UNREADABLE as error:
        log.error("event cannot be read", event_id=event_id, error=repr(error))


def text(value: bytes | None) -> str:
    return value.decode() if value else ""


def number(value: Any) -> int | None:
    """An int, or None for the empty string by which scripts say "none"."""
    return int(float(value)) if value not in (b"", None) else None


def stored_event(event_id: str, document: bytes, state: bytes, status: str) -> StoredEvent:
    """``status`` is what the event is now; the stored one lags while it is claimed or waits in its group."""
    return StoredEvent(
        Event.from_stored(event_id, unpacked(document)), EventState.from_stored(state).with_status(Status(status))
    )


def attempts_of(event_id: str, record: Mapping[bytes, bytes]) -> list[Attempt]:
    """Every attempt in an event's hash, first one first."""
    attempts = []
    for n in sorted(int(name[1:]) for name in record if name[:1] == b"a" and name[1:].isdigit()):
        with damaged_is_absent(event_id):
            attempts.append(Attempt.from_record(n, orjson.loads(record[b"a%d" % n])))
    return attempts


def partition_view(partition: int, reply: list[Any], lanes: list[LaneView]) -> PartitionView:
    return PartitionView(
        partition=partition,
        owner=text(reply[1]) or None,
        generation=int(reply[2]),
        lease_until_ms=int(float(reply[3])),
        ready=sum(lane.ready for lane in lanes),
        scheduled=sum(lane.scheduled for lane in lanes),
        waiting=sum(lane.waiting + lane.parked for lane in lanes),
        in_flight=int(reply[4]),
        awaiting=int(reply[5]),
        open=int(reply[6]),
    )


def lane_views(partition: int, reply: list[Any]) -> list[LaneView]:
    now_ms = int(reply[0])
    return [_lane_view(partition, reply[i : i + LANE_FIELDS], now_ms) for i in range(8, len(reply), LANE_FIELDS)]


def _lane_view(partition: int, fields: list[Any], now_ms: int) -> LaneView:
    urls = orjson.loads(fields[13])
    return LaneView(
        integration_id=text(fields[0]),
        partition=partition,
        ready=int(fields[1]),
        scheduled=int(fields[2]),
        waiting=int(fields[3]),
        in_flight=int(fields[4]),
        parked=int(fields[5]),
        concurrency=number(fields[6]),
        oldest_ready_ms=number(fields[7]),
        next_due_ms=number(fields[8]),
        paused=fields[9] != b"",
        circuit_open_until_ms=_to_come(fields[10], now_ms),
        slowed_until_ms=_to_come(fields[11], now_ms),
        token_failing_since_ms=number(fields[12]),
        suspended_urls=tuple(urls) if isinstance(urls, list) else (),
        paused_since_ms=number(fields[9]),
        pause=pause_of(fields[14]),
    )


def _to_come(field: Any, now_ms: int) -> int | None:
    """A time that lies in the past is no state, though it stays in the store until it changes."""
    until_ms = number(field)
    return until_ms if until_ms is not None and until_ms > now_ms else None


def pause_record(pause: Pause) -> bytes:
    """The shown part of a pause, as the store keeps it."""
    return orjson.dumps({"by": pause.by, "reason": pause.reason, "until_ms": pause.until_ms})


def pause_of(stored: bytes) -> Pause:
    return Pause(**orjson.loads(stored)) if stored else UNSAID


def change(change_id: str, fields: dict[bytes, bytes], at_ms: int) -> Change:
    return Change(
        id=change_id,
        event_id=text(fields[b"i"]),
        status=Status(text(fields[b"s"])),
        type=EventType(text(fields[b"t"])),
        integration_id=text(fields[b"l"]),
        account_id=text(fields[b"g"]).lstrip("\x01") or None,
        at_ms=at_ms,
        attempt=int(fields[b"n"]),
        http_status=number(fields[b"h"]),
    )
