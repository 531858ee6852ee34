"""One event as it is seen at one moment: its place, and why it waits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dispatcher.clock import iso_ms
from dispatcher.model.effect import is_update
from dispatcher.model.event import EventState
from dispatcher.model.queue import UNSAID, Explanation, Pause, Reason
from dispatcher.model.status import TERMINAL, Status
from dispatcher.policy.integration_filter.filter import FILTERED
from dispatcher.store.queue.records import number, pause_of, text


@dataclass(frozen=True, slots=True)
class EventView:
    """The reply of ``look.lua``: an event, its place, its partition's owner and its lane."""

    document: bytes
    state: bytes
    in_flight: bool
    head: str
    due_ms: int | None
    parked: bool
    owner: str
    lease_until_ms: int
    busy: int
    cap: int | None
    paused: bool
    circuit_ms: int
    slow_ms: int
    rate: str
    crowded_ms: int
    lane_due: str
    now_ms: int
    holders: tuple[str, ...] = ()
    """Installations and accounts that hold its group's events back."""
    no_token_since_ms: int | None = None
    pause: Pause = UNSAID
    half_open: bool = False
    """Some URL of its lane was enabled after a 410, and has not answered since."""


ENDED = {
    Status.SUCCEEDED: Reason.DELIVERED,
    Status.FAILED: Reason.REFUSED,
    Status.DEAD: Reason.DEAD,
    Status.EXPIRED: Reason.EXPIRED,
    Status.SKIPPED: Reason.SKIPPED,
    Status.RESOLVED: Reason.RESOLVED,
}


def event_view(reply: list[Any]) -> EventView:
    return EventView(
        document=reply[0],
        state=reply[1],
        in_flight=reply[2] != b"",
        head=text(reply[3]),
        due_ms=number(reply[4]),
        parked=bool(reply[5]),
        owner=text(reply[6]),
        lease_until_ms=number(reply[7]) or 0,
        busy=number(reply[8]) or 0,
        cap=number(reply[9]),
        paused=reply[10] != b"",
        circuit_ms=number(reply[11]) or 0,
        slow_ms=number(reply[12]) or 0,
        rate=text(reply[13]),
        crowded_ms=number(reply[14]) or 0,
        lane_due=text(reply[15]),
        now_ms=int(reply[16]),
        holders=tuple(text(reply[17]).split("\n")) if reply[17] else (),
        no_token_since_ms=number(reply[18]),
        pause=pause_of(reply[19]),
        half_open=reply[20] != b"",
    )


def status_now(event_id: str, seen: EventView) -> str:
    """The status as of this look: claiming and queueing up are places, not writes."""
    stored = EventState.from_stored(seen.state).status
    if stored in TERMINAL or stored in (Status.AWAITING_RESULT, Status.HELD):
        return stored.value
    if seen.in_flight:
        return Status.DELIVERING.value
    if seen.holders or (seen.head and seen.head != event_id):
        return Status.HELD.value
    return stored.value


def explain(event_id: str, seen: EventView) -> Explanation:
    """The one reason that has to go first; ``until_ms`` is when it ends, where that is known."""
    state = EventState.from_stored(seen.state)
    status = Status(status_now(event_id, seen))
    if status is Status.SKIPPED and state.error_code == FILTERED:
        return Explanation(status, Reason.FILTERED, detail=state.error_message)
    if status in ENDED:
        return Explanation(status, ENDED[status], detail=state.error_message)
    if status is Status.AWAITING_RESULT:
        return Explanation(status, Reason.AWAITING_RESULT, until_ms=state.result_deadline_ms)
    if status is Status.DELIVERING:
        return Explanation(status, Reason.IN_FLIGHT, blocked_by=seen.head if seen.head not in ("", event_id) else None)
    if seen.holders:
        return Explanation(status, _locked(seen.holders))
    if seen.parked or (status is Status.HELD and state.status is Status.HELD):
        return Explanation(status, Reason.URL_SUSPENDED, detail=state.error_message)
    if seen.head and seen.head != event_id:
        return Explanation(status, Reason.BEHIND, blocked_by=seen.head)
    return _held_back(status, seen, state)


def _locked(holders: tuple[str, ...]) -> Reason:
    updated = any(is_update(one) for one in holders)
    return Reason.UPDATE_IN_PROGRESS if updated else Reason.CREDENTIALS_REFUSED


def _in_the_way(seen: EventView) -> str:
    """Of an attempt that no worker could begin; a pause of its type that has ended leaves no trace in its record."""
    if seen.no_token_since_ms is None:
        return (
            "after a pause of its type it goes on within ten seconds; the worker's log says all else that is in the way"
        )
    return f"no access token is had with the integration's outboundCredentials since {iso_ms(seen.no_token_since_ms)}"


MAY_BE_HELD = frozenset(
    {
        Reason.READY,
        Reason.PUT_OFF,
        Reason.RETRY_PLANNED,
        Reason.NO_WORKER,
        Reason.CIRCUIT_OPEN,
        Reason.SLOWED_DOWN,
        Reason.SHARE_USED,
        Reason.URL_HALF_OPEN,
        Reason.CONCURRENCY,
        Reason.RATE_LIMITED,
    }
)
"""Reasons behind which a pause of the event's type may stand."""


def paused(status: Status, pause: Pause, reason: Reason = Reason.PAUSED) -> Explanation:
    said = ": ".join(part for part in (f"by {pause.by}" if pause.by else "", pause.reason) if part)
    return Explanation(status, reason, until_ms=pause.until_ms, detail=said or None)


def _held_back(status: Status, seen: EventView, state: EventState) -> Explanation:
    if seen.paused:
        return paused(status, seen.pause)
    if seen.due_ms is not None and seen.due_ms > seen.now_ms:
        reason = Reason.RETRY_PLANNED if state.attempts else Reason.PUT_OFF
        detail = state.error_message or (None if state.attempts else _in_the_way(seen))
        return Explanation(status, reason, until_ms=seen.due_ms, detail=detail)
    if seen.lease_until_ms <= seen.now_ms:
        return Explanation(status, Reason.NO_WORKER)
    crowded = Reason.URL_HALF_OPEN if seen.half_open else Reason.SHARE_USED
    for until_ms, reason in (
        (seen.circuit_ms, Reason.CIRCUIT_OPEN),
        (seen.slow_ms, Reason.SLOWED_DOWN),
        (seen.crowded_ms, crowded),
    ):
        if until_ms > seen.now_ms:
            return Explanation(status, reason, until_ms=until_ms)
    if seen.cap is not None and seen.busy >= seen.cap:
        if seen.crowded_ms:
            return Explanation(status, crowded)
        return Explanation(status, Reason.CONCURRENCY, detail=f"{seen.busy} of {seen.cap} attempts are running")
    later = number(seen.lane_due.encode()) if seen.lane_due not in ("", "inf") else None
    if seen.rate and later is not None and later > seen.now_ms:
        return Explanation(status, Reason.RATE_LIMITED, until_ms=later, detail=f"{seen.rate} per second")
    return Explanation(status, Reason.READY)
