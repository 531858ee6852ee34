"""An ordinary ``POST /v1/events``, begun at once: small, in plain JSON, of a product that was asked for moments ago.

It has the checks of ``accepting.events``, which answers all that is not begun here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from multidict import MultiMapping

from dispatcher.api.http.at_once import ORDINARY_HEADERS, Answer, Begun, Ordinary, Ready
from dispatcher.api.http.overload.intake import SMALL_BYTES
from dispatcher.api.http.request.body import is_plain_json
from dispatcher.api.http.request.idempotency import IDEMPOTENCY_KEY, REPLAYED, body_hash, idempotency_key
from dispatcher.api.rest.events.accepting.events import asked_in, trace_in
from dispatcher.api.rest.events.accepting.receipts import ACCEPTED, located, receipt_json
from dispatcher.api.services import Services
from dispatcher.flow.events.making.accept import Acceptor
from dispatcher.model.access import Caller
from dispatcher.model.event import Event
from dispatcher.model.queue import Accepted
from dispatcher.policy.notification.trace_context import TRACEPARENT

_HEADERS = ORDINARY_HEADERS | {IDEMPOTENCY_KEY, IDEMPOTENCY_KEY.lower()}


def accepting_at_once(services: Services, max_body_bytes: int) -> Ordinary:
    """Begins an accept whose event can be made of what is at hand."""
    emitter, acceptor = services.emitter, services.acceptor
    answer, answer_once = (partial(one, services.deployment.base_url) for one in (_answer, _answer_once))
    most_bytes = min(SMALL_BYTES, max_body_bytes)

    def ordinary(headers: MultiMapping[str], raw: bytes, caller: Caller) -> Ready | None:
        if len(raw) > most_bytes or not is_plain_json(headers) or not _HEADERS.issuperset(headers):
            return None
        key = idempotency_key(headers)
        event = emitter.event_at_once(asked_in(raw), caller)
        if event is None or not acceptor.takes_at_once(event):
            return None
        if (trace := trace_in(headers.get(TRACEPARENT))) is not None:
            event = event._replace(trace=trace)
        if key is None:
            return partial(_begun, acceptor, event, answer)
        once = partial(acceptor.accept_once, event, client_id=caller.key_space, key=key, body_hash=body_hash(raw))
        return partial(_begun_once, once, answer_once)

    return ordinary


def _begun(acceptor: Acceptor, event: Event, answer: partial[Answer]) -> Begun:
    return Begun(acceptor.begin(event), answer)


def _begun_once(once: Callable[[], Coroutine[Any, Any, Accepted]], answer: partial[Answer]) -> Begun:
    return Begun(asyncio.create_task(once()), answer)


def _answer(base_url: str, receipts: list[Accepted]) -> Answer:
    receipt = receipts[0]
    return Answer(ACCEPTED, located(receipt, base_url), receipt_json(receipt, base_url))


def _answer_once(base_url: str, receipt: Accepted) -> Answer:
    headers = located(receipt, base_url) | (REPLAYED if receipt.replayed else {})
    return Answer(ACCEPTED, headers, receipt_json(receipt, base_url))
