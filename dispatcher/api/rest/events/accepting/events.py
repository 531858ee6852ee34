"""POST /v1/events and /v1/events/batch: a 202 is sent only after the write. Never delivers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from aiohttp import web

from dispatcher.api.http.request.body import JSON, NDJSON, read_body, require_media
from dispatcher.api.http.request.idempotency import body_hash, idempotency_key
from dispatcher.api.http.route import CALLER, Route
from dispatcher.api.rest.events.accepting.cloud_event_forms import CLOUD_EVENTS, SPEC_VERSION_HEADER, CloudEventIn
from dispatcher.api.rest.events.accepting.cloud_events import accept_cloud_event, accept_cloud_events
from dispatcher.api.rest.events.accepting.emissions import emission_of
from dispatcher.api.rest.events.accepting.models import AcceptedOut, BatchOut, EventIn
from dispatcher.api.rest.events.accepting.receipts import accepted, limited, refuse_key, results
from dispatcher.api.services import SERVICES, TRACING
from dispatcher.errors import RequestError, Unprocessable
from dispatcher.flow.events.making.emit import Emission
from dispatcher.model.access import Scope
from dispatcher.model.event import Event
from dispatcher.model.queue import Accepted
from dispatcher.policy.notification.cloud_event import CLOUD_EVENT
from dispatcher.policy.notification.trace_context import TRACEPARENT, read_traceparent
from dispatcher.policy.strict_json import read_array, read_lines, read_object
from dispatcher.telemetry.tracing import SERVER, Span

Accept = Callable[[web.Request, str | None], Awaitable[web.StreamResponse]]
"""Accepts what a request holds, in the trace whose ``traceparent`` it is given."""

_BATCHES = dict.fromkeys((NDJSON, CLOUD_EVENTS), "POST /v1/events/batch")
_ONE = {CLOUD_EVENT: "POST /v1/events"}
"""Media types that the other path takes."""


def accept_event(request: web.Request) -> Awaitable[web.StreamResponse]:
    """202 with the id. Repeated with its Idempotency-Key it answers the same, and says so in a header."""
    return _traced(request, _accept_event)


def accept_batch(request: web.Request) -> Awaitable[web.StreamResponse]:
    """One result for each item, in the order of the items; good ones are accepted although others are not."""
    return _traced(request, _accept_batch)


async def _accept_event(request: web.Request, trace: str | None) -> web.StreamResponse:
    media = require_media(request, JSON, CLOUD_EVENT, elsewhere=_BATCHES)
    if media != JSON or SPEC_VERSION_HEADER in request.headers:
        return await accept_cloud_event(request, trace, media)
    services, caller = request.app[SERVICES], request[CALLER]
    key = idempotency_key(request.headers)
    raw = await read_body(request)
    event = await services.emitter.event(asked_in(raw), caller)
    if trace is not None:
        event = event._replace(trace=trace)
    if key is None:
        receipt = await services.acceptor.accept(event)
    else:
        receipt = await services.acceptor.accept_once(
            event, client_id=caller.key_space, key=key, body_hash=body_hash(raw)
        )
    return accepted(receipt, services.deployment.base_url, replayed=key is not None and receipt.replayed)


async def _accept_batch(request: web.Request, trace: str | None) -> web.StreamResponse:
    refuse_key(request, "A batch takes no key. Leave it out, or send each event with its own key to POST /v1/events.")
    media = require_media(request, JSON, NDJSON, CLOUD_EVENTS, elsewhere=_ONE)
    if media == CLOUD_EVENTS:
        return await accept_cloud_events(request, trace)
    refusals, receipts = await _begun(request, media, trace)
    written = iter(await receipts)
    return results([refusal or next(written) for refusal in refusals])


async def _begun(
    request: web.Request, media: str, trace: str | None
) -> tuple[list[RequestError | None], Awaitable[list[Accepted]]]:
    """Refusals in their places, and receipts to come of all others. Whoever waits for these keeps no contents."""
    services, caller, raw = request.app[SERVICES], request[CALLER], await read_body(request)
    items: Iterable[Any] = read_lines(raw, exact=True) if media == NDJSON else read_array(raw, exact=True)
    asked = [_asked(item) for item in limited(items)]
    made = await services.emitter.events([one for one in asked if isinstance(one, Emission)], caller)
    checked = iter(await services.acceptor.checked(made))
    prepared = [next(checked) if isinstance(one, Emission) else one for one in asked]
    events = [one._replace(trace=trace) if trace else one for one in prepared if isinstance(one, Event)]
    refusals = [one if isinstance(one, RequestError) else None for one in prepared]
    return refusals, services.acceptor.accept_many(events)


def _asked(item: Any) -> Emission | RequestError:
    if isinstance(item, RequestError):
        return item
    try:
        if not isinstance(item, dict):
            raise Unprocessable.of("not_an_object", "Each item is one JSON object.")
        return emission_of(item)
    except RequestError as error:
        return error


def asked_in(raw: bytes) -> Emission:
    """The one event that a body asks for. Raises ``RequestError``."""
    return emission_of(read_object(raw, exact=True))


def _traced(request: web.Request, accept: Accept) -> Awaitable[web.StreamResponse]:
    """``accept`` with the trace of its emitter, which hosts are told; a step of it where spans are sent somewhere.

    No coroutine of its own: where nothing is traced, awaiting one would cost each accept something for nothing.
    """
    sent, tracing = request.headers.get(TRACEPARENT), request.app.get(TRACING)
    if tracing is not None:
        return _spanned(tracing.span("accept", sent, SERVER), request, accept)
    return accept(request, trace_in(sent))


def trace_in(traceparent: str | None) -> str | None:
    """The trace of an event that came with such a header; None for one that cannot be read."""
    context = read_traceparent(traceparent) if traceparent else None
    return str(context) if context else None


async def _spanned(span: Span, request: web.Request, accept: Accept) -> web.StreamResponse:
    try:
        response = await accept(request, span.traceparent)
    except RequestError as error:
        span.end("refused", http_status=error.status)
        raise
    except BaseException:
        span.end("broken off")
        raise
    span.end(http_status=response.status)
    return response


EMIT = Route(
    "POST",
    "/v1/events",
    accept_event,
    (Scope.EVENTS_WRITE,),
    "Emit an event",
    body=EventIn,
    other_bodies={CLOUD_EVENT: CloudEventIn},
    answers={202: AcceptedOut},
    vendors=True,
)
ROUTES: tuple[Route, ...] = (
    EMIT,
    Route(
        "POST",
        "/v1/events/batch",
        accept_batch,
        (Scope.EVENTS_WRITE,),
        "Emit up to 1,000 events, as a JSON array, as NDJSON or as CloudEvents",
        answers={200: BatchOut},
        vendors=True,
    ),
)
