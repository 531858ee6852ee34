"""Archived events to make segments of. Holds no test."""

from __future__ import annotations

from dispatcher.ids import derived_event_id
from dispatcher.model.event import Event, EventState
from dispatcher.model.event_type import EventType
from dispatcher.model.status import Status
from dispatcher.store.archive.format.archived import ArchivedEvent, Position

BEGUN_MS = 1_700_000_000_000
RETENTION_MS = 30 * 86_400_000


def archived(number: int, *, padding: int = 200, account: str | None = "acc", lane: str = "lane") -> ArchivedEvent:
    """Event ``number`` of partition 0; each is a second later than the one before."""
    ms = BEGUN_MS + 1000 * number
    event = Event(
        id=derived_event_id(ms, 0, str(number)),
        type=EventType.SUBSCRIPTION_CHANGE,
        integration_id=lane,
        revision=1,
        account_id=account,
        payload={"number": number, "text": "ü\n\u2028" + "x" * padding},
    )
    state = EventState(Status.SUCCEEDED, created_ms=ms, sequence=number, attempts=1)
    fields = {"doc": event.stored(), "state": state.stored(), "a1": b'{"t":1,"o":"SUCCEEDED"}'}
    return ArchivedEvent(event.id, Position(ms, 0), ms + RETENTION_MS, fields)
