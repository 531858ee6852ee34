"""Requests and replies of ``claim`` and ``settle``, field by field in the order in which the Lua files name them.

A test compares the names. One event that cannot be read is given back for a while and spoils no other. Never sends.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, chain, pairwise
from typing import Any, NamedTuple

import orjson
import structlog

from dispatcher.model.event import Event, EventState
from dispatcher.model.event_type import EventType
from dispatcher.model.status import Status
from dispatcher.store.packing.documents import parted, size_of
from dispatcher.store.queue.owning.claims import Claim, Claimed, Followers, LaneSetting, Move, Settlement
from dispatcher.store.queue.records import UNREADABLE, text
from dispatcher.store.redis.scripts import Argument

UNREADABLE_MS = 5_000
"""Until such an event is looked at again: a newer worker may read it, or a hand has put it right."""

log = structlog.get_logger("store")


class ClaimRequest(NamedTuple):
    """Arguments of ``claim``."""

    generation: int
    lease_ms: int
    at_most: int
    default_cap: int
    least_lease_ms: int
    """The lease is written anew when less of it is left."""
    at_most_bytes: int
    """Of documents; the first is handed out however large it is."""
    run: int
    """Events of one account that are handed out together, at most; 1 = one at a time."""
    room: str
    """Generation, and the number of events up to which accepts give them to the sleeping owner; empty = none."""


class ClaimedRow(NamedTuple):
    """One event of ``claim``'s reply."""

    id: bytes
    n: int
    document: bytes
    state: bytes
    account_identifier: bytes
    flags: bytes


class OutcomeRow(NamedTuple):
    """One outcome of ``settle``'s request; an empty text stands for none."""

    id: str
    n: int
    status: str
    delay_ms: int
    attempt: bytes | str
    state: bytes
    lane: str
    group: str
    type: str
    account_identifier: str
    http_status: int | str
    notification_id: str
    notification: bytes | str


FIRST_ROW = 4
"""Behind ``ok``, the time, when something is next due, and how many events were given unasked."""
_HEAD_OF_RUN, _LAST_OF_RUN = b"h", b"l"
_IN_RUN = frozenset((_HEAD_OF_RUN, b"m", _LAST_OF_RUN))


class Given(NamedTuple):
    """Events that an accept claimed for a sleeping owner, as the reply of ``claim`` would have them."""

    partition: int
    generation: int
    reply: list[Any]

    def claim(self, room_bytes: float = math.inf) -> Claim:
        """The events, read as any others."""
        claim = read_claim(self.reply, room_bytes)
        assert claim is not None, "it would not have been given"
        return claim


def read_given(message: bytes) -> Given:
    """The message of ``accept``. Raises ``ValueError`` for any other."""
    line, _, parts = message.partition(b"\n")
    partition, generation, now_ms, next_due_ms, *sizes = map(int, line.split())
    ends = list(accumulate(sizes, initial=0))
    if ends[-1] != len(parts) or len(sizes) % len(ClaimedRow._fields):
        raise ValueError("not as long as it says")
    rows = [parts[begin:end] for begin, end in pairwise(ends)]
    return Given(partition, generation, [b"ok", now_ms, next_due_ms, 0, *rows])


def read_claim(reply: list[Any], room_bytes: float = math.inf) -> Claim | None:
    """None: the generation moved on. What is beyond ``room_bytes`` is not read: that takes many times its size."""
    if reply[0] != b"ok":
        return None
    due = int(reply[2])
    claim = Claim(int(reply[1]), due if due >= 0 else None, given=int(reply[3]), events=[], unreadable=[], too_large=[])
    width = len(ClaimedRow._fields)
    rows = (ClaimedRow._make(reply[at : at + width]) for at in range(FIRST_ROW, len(reply), width))
    for row in rows:
        if row.flags in _IN_RUN:
            if row.flags != _HEAD_OF_RUN:
                _read_followers(claim, chain((row,), rows), room_bytes)
                break
            claim.followers[row.id.decode(), int(row.n)] = Followers()
        size = size_of(row.document)
        if size > room_bytes:
            claim.too_large.append(_blank(row))
            continue
        room_bytes -= size
        try:
            claimed = _claimed(row, size)
        except UNREADABLE as error:
            claim.unreadable.append(_given_back(row))
            event_id = text(row.id)
            log.error("event cannot be read", event_id=event_id, error=repr(error), tried_again_in_ms=UNREADABLE_MS)
        else:
            claim.events.append(claimed)
    return claim


def _read_followers(claim: Claim, rows: Iterable[ClaimedRow], room_bytes: float) -> None:
    """Behind all heads come the others of their runs, run by run. Without its head all of a run goes back."""
    read = {claimed.claim_id for claimed in claim.events}
    for head, followers in list(claim.followers.items()):
        if head not in read:
            claim.unreadable.extend(Settlement(_blank(row), Move.RELEASE) for row in _of_one_run(rows))
            del claim.followers[head]
            continue
        for row in _of_one_run(rows):
            room_bytes -= _follow(followers, row, room_bytes)


def _of_one_run(rows: Iterable[ClaimedRow]) -> Iterator[ClaimedRow]:
    for row in rows:
        yield row
        if row.flags == _LAST_OF_RUN:
            return


def _follow(followers: Followers, row: ClaimedRow, room_bytes: float) -> int:
    """Nothing follows what is not read, which is logged once it is a head. Returns the room that it takes."""
    size = size_of(row.document)
    if followers.unread or size > room_bytes:
        followers.unread.append(_blank(row))
        return 0
    try:
        followers.events.append(_claimed(row, size))
    except UNREADABLE:
        followers.unread.append(_blank(row))
    return size


def settle_arguments(
    generation: int,
    retention_ms: int,
    settlements: Sequence[Settlement],
    settings: Sequence[LaneSetting],
    counted: Mapping[str, int],
) -> list[Argument]:
    """The request of ``settle``; lane settings and counters come behind their number, outcomes last."""
    arguments: list[Argument] = [generation, retention_ms, len(settings)]
    for setting in settings:
        arguments += (setting.integration_id, setting.field, "" if setting.value is None else setting.value)
    arguments.append(len(counted))
    for name, by in counted.items():
        arguments += (name, by)
    for settlement in settlements:
        arguments += _outcome(settlement)
    return arguments


def _claimed(row: ClaimedRow, size_bytes: int) -> Claimed:
    document, contents = parted(row.document)
    return Claimed(
        event=Event.from_stored(row.id.decode(), document),
        state=EventState.from_stored(row.state),
        n=int(row.n),
        account_identifier=text(row.account_identifier) or None,
        url_suspended=b"o" in row.flags,
        rate_limited=b"r" in row.flags,
        flags=row.flags,
        size_bytes=size_bytes,
        contents=contents,
    )


def _given_back(row: ClaimedRow) -> Settlement:
    return Settlement(_blank(row), Move.RELEASE, UNREADABLE_MS)


def _blank(row: ClaimedRow) -> Claimed:
    """Releasing needs the lane only, which the script has checked."""
    lane = row.document.split(b"\n", 1)[0].decode()
    blank = Event(text(row.id), EventType.SUBSCRIPTION_NOTICE, lane, revision=0)
    return Claimed(blank, EventState(Status.QUEUED, created_ms=0), int(row.n), None, flags=row.flags)


def _outcome(settlement: Settlement) -> OutcomeRow:
    event, attempt, notification = settlement.claimed.event, settlement.attempt, settlement.notification
    return OutcomeRow(
        event.id,
        settlement.claimed.n,
        settlement.to,
        settlement.delay_ms,
        orjson.dumps(attempt.as_record()) if attempt else "",
        settlement.state().stored(),
        event.integration_id,
        event.group,
        event.type,
        settlement.account_identifier or "",
        attempt.http_status if attempt and attempt.http_status else "",
        notification.id if notification else "",
        notification.stored() if notification else "",
    )
