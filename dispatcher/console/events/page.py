"""One event: why it is where it is, every attempt, its account's order, its content masked."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

import orjson
from aiohttp import web

from dispatcher.api.http.request.known_parameters import refuse_unheeded
from dispatcher.console.events.attempt_rows import attempt_rows
from dispatcher.console.events.masking import masked, masked_content
from dispatcher.console.events.mending import mend
from dispatcher.console.events.next_attempt import why_then
from dispatcher.console.events.sent_request import SentRequest, curl, rebuilt
from dispatcher.console.frame.screen import EVENTS
from dispatcher.console.frame.sentences import said
from dispatcher.console.frame.viewer import Viewer
from dispatcher.flow.events.reading.explain import sentence
from dispatcher.flow.events.reading.reach import reachable_event
from dispatcher.model.access import Scope
from dispatcher.model.attempt import Attempt, Outcome
from dispatcher.model.event import no_such_event
from dispatcher.model.integration import Revision
from dispatcher.model.queue import EventFilter, Explanation, Reason, StoredEvent
from dispatcher.model.status import COMPLETE, Status
from dispatcher.policy.event_filter.printing import print_filter

WAITING_SHOWN, DELIVERED_SHOWN = 20, 3
_ENDINGS = {
    **dict.fromkeys((Reason.RETRY_PLANNED, Reason.PUT_OFF, Reason.CIRCUIT_OPEN), "Tries again"),
    **dict.fromkeys((Reason.PAUSED, Reason.TYPE_PAUSED, Reason.SLOWED_DOWN, Reason.RATE_LIMITED), "Goes on"),
    Reason.AWAITING_RESULT: "Its host has time until",
}
"""Before the moment at which the reason ends."""
_WAITS = frozenset(
    {Reason.RETRY_PLANNED, Reason.PUT_OFF, Reason.CIRCUIT_OPEN, Reason.SLOWED_DOWN, Reason.RATE_LIMITED, Reason.READY}
)
"""Reasons that end by themselves with an attempt."""
_NOT_SENT = frozenset({Outcome.TOKEN_FAILED, Outcome.BLOCKED, Outcome.CONFIGURATION_ERROR, Outcome.STARTED})


@dataclass(frozen=True, slots=True)
class Order:
    """The account's events in this integration: the last that were delivered, and those that are to come."""

    delivered: Sequence[StoredEvent]
    waiting: Sequence[StoredEvent]
    count: int
    """Of those that are to come."""
    later: int
    """Of the delivered ones shown, those that come after this event."""
    ended: int
    """At least so many that come after it have come to their end, well or not."""


async def show_event(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    refuse_unheeded(request, {"said": False})
    return await event_page(request, viewer, opened=False)


async def event_page(request: web.Request, viewer: Viewer, *, opened: bool) -> web.Response:
    """``opened``: with its content, for whoever gave a reason."""
    services, event_id = viewer.services, request.match_info["id"]
    stored = await reachable_event(event_id, viewer.caller, services.reads, services.cache)
    explained, attempts, order = await asyncio.gather(
        services.reads.explain(event_id), services.reads.attempts(event_id), _order(stored, viewer)
    )
    if explained is None:
        raise no_such_event()
    event = stored.event
    revision = await _revision(stored, viewer)
    request_sent = _request(stored, attempts or [], revision, viewer)
    return viewer.page(
        "event.html",
        sent=request_sent,
        sent_body=_body(request_sent, opened=opened),
        curl=curl(request_sent) if request_sent and opened else None,
        event=event,
        state=stored.state,
        lead=_lead(explained),
        mend=mend(explained.reason, event, viewer),
        next_ms=next_attempt_ms(stored, explained, viewer.now_ms),
        why_then=why_then(stored.state, attempts or [], _schedule(revision, viewer)),
        ending=_ENDINGS.get(explained.reason, "Lasts at most until"),
        explained=explained,
        attempts=attempt_rows(attempts or []),
        order=order,
        name=(await viewer.names([event.integration_id])).get(event.integration_id),
        payload=event.payload if opened else masked(event.payload),
        opened=opened,
        actions=_actions(stored, viewer),
        may_open=not opened and _may_open(viewer) and (event.payload is not None or bool(attempts)),
        siblings=f"{EVENTS}?q={quote(print_filter(_of_account(stored)))}",
        base_url=services.deployment.base_url,
        said=said(request),
    )


def _lead(explained: Explanation) -> str:
    """The sentence without what the page says beside it: who goes first, and until when."""
    return sentence(replace(explained, until_ms=None, blocked_by=None))


def next_attempt_ms(stored: StoredEvent, explained: Explanation, now_ms: int) -> int | None:
    """The moment of the next attempt, by whatever comes last; None = none is planned, or nobody can tell when."""
    if stored.state.consumed or explained.reason not in _WAITS:
        return None
    moment_ms = max(stored.state.due_ms or 0, explained.until_ms or 0)
    return moment_ms if moment_ms > now_ms else None


async def _revision(stored: StoredEvent, viewer: Viewer) -> Revision | None:
    """The one that it is delivered by; None = it is gone, or not for this viewer."""
    event, chosen = stored.event, stored.state.revision
    number = event.revision if chosen is None else chosen
    if not number or not viewer.sees_integrations:
        return None
    return await viewer.services.cache.revision(event.integration_id, number)


def _schedule(revision: Revision | None, viewer: Viewer) -> Sequence[float]:
    """Empty = not known to this viewer."""
    if revision is None:
        return ()
    own = revision.retry.schedule_s
    return viewer.services.deployment.retry_schedule_s if own is None else own


def _request(
    stored: StoredEvent, attempts: Sequence[Attempt], revision: Revision | None, viewer: Viewer
) -> SentRequest | None:
    """The newest that went out; None = none did, or what it was made of is gone."""
    event, state, deployment = stored.event, stored.state, viewer.services.deployment
    sent = next((one for one in reversed(attempts) if one.outcome not in _NOT_SENT), None)
    if sent is None or revision is None or state.expunged_ms:
        return None
    return rebuilt(event, state, revision, sent, base_url=deployment.base_url, partner=deployment.partner)


def _body(request: SentRequest | None, *, opened: bool) -> Any:
    """The body for people; masked for whoever gave no reason."""
    if request is None or request.body is None:
        return None
    read = orjson.loads(request.body)
    return read if opened else masked_content(read)


def _actions(stored: StoredEvent, viewer: Viewer) -> list[tuple[str, str]]:
    """Name and last part of the address of what this viewer may do to it now."""
    status, may = stored.state.status, viewer.caller.may
    offered = (
        ("Deliver now", "deliver-now", status is Status.RETRYING and may(Scope.OPS_WRITE)),
        ("Redeliver", "redeliver", stored.state.failed and may(Scope.EVENTS_WRITE)),
        ("Resolve", "resolve", status not in COMPLETE and may(Scope.EVENTS_WRITE)),
    )
    return [(name, path) for name, path, there in offered if there]


def _may_open(viewer: Viewer) -> bool:
    """True for those who may act on events: whoever only looks sees no content."""
    return viewer.caller.may(Scope.EVENTS_WRITE, Scope.OPS_WRITE)


def _of_account(stored: StoredEvent) -> EventFilter:
    return EventFilter(account_id=stored.event.account_id, integration_id=stored.event.integration_id)


async def _order(stored: StoredEvent, viewer: Viewer) -> Order | None:
    """None for an event that nothing orders."""
    event, sequence = stored.event, stored.state.sequence
    if not event.account_id or not sequence:
        return None
    found = await viewer.services.reads.account_order(event, delivered=DELIVERED_SHOWN, waiting=WAITING_SHOWN)
    if found is None:
        return None
    later = sum(one.state.sequence > sequence for one in found.delivered)
    ended = max(0, found.last_sequence - sequence - found.count) if stored.state.consumed else 0
    return Order(found.delivered, found.waiting, found.count, later, ended)
