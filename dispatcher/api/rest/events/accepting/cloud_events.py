"""Accepts CloudEvents, each once for its ``source`` and ``id``: one in a request, or a batch, which may be repeated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aiohttp import web

from dispatcher.api.http.request.body import read_body
from dispatcher.api.http.route import CALLER
from dispatcher.api.rest.events.accepting.cloud_event_forms import (
    CloudEvent,
    binary,
    naming_attributes,
    read_attributes,
    structured,
)
from dispatcher.api.rest.events.accepting.receipts import accepted, limited, refuse_key, results
from dispatcher.api.services import SERVICES, Services
from dispatcher.errors import RequestError
from dispatcher.flow.events.making.accept import Keyed
from dispatcher.model.access import Caller
from dispatcher.model.event import Event
from dispatcher.model.queue import Accepted
from dispatcher.policy.notification.cloud_event import CLOUD_EVENT
from dispatcher.policy.strict_json import read_array


async def accept_cloud_event(request: web.Request, trace: str | None, media: str) -> web.StreamResponse:
    """Once for its ``source`` and ``id``. The trace is its own, else that of the request."""
    services, caller = request.app[SERVICES], request[CALLER]
    refuse_key(request, "The source and id of a CloudEvent are its key. Leave the header out.")
    raw = await read_body(request)
    given = structured(raw) if media == CLOUD_EVENT else binary(request.headers, raw)
    try:
        event = (await services.emitter.event(given.emission, caller))._replace(trace=given.trace or trace)
        key, digest = given.key, given.digest
        receipt = await services.acceptor.accept_once(event, client_id=caller.key_space, key=key, body_hash=digest)
    except RequestError as error:
        raise naming_attributes(error) from None
    return accepted(receipt, services.deployment.base_url, replayed=receipt.replayed)


async def accept_cloud_events(request: web.Request, trace: str | None) -> web.StreamResponse:
    """One result for each item, in the order of the items."""
    items = limited(read_array(await read_body(request), exact=True))
    return results(await _accept_each(items, request.app[SERVICES], request[CALLER], trace))


async def _accept_each(
    items: Sequence[Any], services: Services, caller: Caller, trace: str | None
) -> list[Accepted | RequestError]:
    given = [_cloud_event(item) for item in items]
    emissions = [one.emission for one in given if isinstance(one, CloudEvent)]
    events = iter(await services.emitter.events(emissions, caller))
    prepared = [_keyed(one, next(events), trace) if isinstance(one, CloudEvent) else one for one in given]
    asked = [one for one in prepared if isinstance(one, Keyed)]
    receipts = iter(await services.acceptor.accept_each_once(asked, caller.key_space))
    outcomes = [next(receipts) if isinstance(one, Keyed) else one for one in prepared]
    return [naming_attributes(one) if isinstance(one, RequestError) else one for one in outcomes]


def _cloud_event(item: Any) -> CloudEvent | RequestError:
    try:
        return read_attributes(item)
    except RequestError as error:
        return error


def _keyed(given: CloudEvent, event: Event | RequestError, trace: str | None) -> Keyed | RequestError:
    if isinstance(event, RequestError):
        return event
    return Keyed(event._replace(trace=given.trace or trace), given.key, given.digest)
