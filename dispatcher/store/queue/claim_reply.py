"""Reads what the claim script answers. One event that cannot be read is given back for a while and spoils no other."""

from __future__ import annotations

from typing import Any

import structlog

from dispatcher.model.event import Event, EventState
from dispatcher.model.event_type import EventType
from dispatcher.model.status import Status
from dispatcher.store.queue.partition import Claim, Claimed, Move, Settlement
from dispatcher.store.queue.records import UNREADABLE, text

UNREADABLE_MS = 5_000
"""Until such an event is looked at again: a newer worker may read it, or a hand has mended it."""

log = structlog.get_logger("store")


def read_claim(reply: list[Any]) -> Claim | None:
    """None: the generation moved on."""
    if reply[0] != b"ok":
        return None
    due = int(reply[2])
    claim = Claim(now_ms=int(reply[1]), next_due_ms=due if due >= 0 else None, events=[], unreadable=[])
    for i in range(3, len(reply), 6):
        try:
            claimed = _claimed(reply, i)
        except UNREADABLE as error:
            claim.unreadable.append(_given_back(reply, i))
            event_id = text(reply[i])
            log.error("event cannot be read", event_id=event_id, error=repr(error), tried_again_in_ms=UNREADABLE_MS)
        else:
            claim.events.append(claimed)
    return claim


def _claimed(reply: list[Any], i: int) -> Claimed:
    return Claimed(
        event=Event.from_stored(reply[i].decode(), reply[i + 2]),
        state=EventState.from_stored(reply[i + 3]),
        n=int(reply[i + 1]),
        account_identifier=text(reply[i + 4]) or None,
        url_suspended=b"o" in reply[i + 5],
        rate_limited=b"r" in reply[i + 5],
        flags=reply[i + 5],
    )


def _given_back(reply: list[Any], i: int) -> Settlement:
    """Releasing needs the lane only, which the script has checked; all else of it is a blank."""
    lane = reply[i + 2].split(b"\n", 1)[0].decode()
    blank = Event(text(reply[i]), EventType.SUBSCRIPTION_NOTICE, lane, revision=0)
    claimed = Claimed(blank, EventState(Status.QUEUED, created_ms=0), int(reply[i + 1]), account_identifier=None)
    return Settlement(claimed, Move.RELEASE, UNREADABLE_MS)
