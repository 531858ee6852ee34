"""An ordinary ``POST /v1/events``, begun at once: small, in plain JSON, of a product that was asked for moments ago.

It has the checks of ``accepting.events``, which answers all that is not begun here.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from dispatcher.api.http.at_once import ORDINARY_HEADERS, Answer, Begun, Ordinary, Ready
from dispatcher.api.http.overload.intake import SMALL_BYTES
from dispatcher.api.http.request.body import is_plain_json
from dispatcher.api.rest.events.accepting.events import asked_in, trace_in
from dispatcher.api.rest.events.accepting.receipts import ACCEPTED, located, receipt_json
from dispatcher.api.services import Services
from dispatcher.flow.events.making.accept import Acceptor
from dispatcher.model.access import Caller
from dispatcher.model.event import Event
from dispatcher.model.queue import Accepted
from dispatcher.policy.notification.trace_context import TRACEPARENT


def accepting_at_once(services: Services, max_body_bytes: int) -> Ordinary:
    """Begins an accept whose event can be made of what is at hand."""
    emitter, acceptor = services.emitter, services.acceptor
    answer = partial(_answer, services.deployment.base_url)
    most_bytes = min(SMALL_BYTES, max_body_bytes)

    def ordinary(headers: Mapping[str, str], raw: bytes, caller: Caller) -> Ready | None:
        if len(raw) > most_bytes or not is_plain_json(headers) or not ORDINARY_HEADERS.issuperset(headers):
            return None
        event = emitter.event_at_once(asked_in(raw), caller)
        if event is None or not acceptor.takes_at_once(event):
            return None
        if (trace := trace_in(headers.get(TRACEPARENT))) is not None:
            event = event._replace(trace=trace)
        return partial(_begun, acceptor, event, answer)

    return ordinary


def _begun(acceptor: Acceptor, event: Event, answer: partial[Answer]) -> Begun:
    return Begun(acceptor.begin(event), answer)


def _answer(base_url: str, receipts: list[Accepted]) -> Answer:
    receipt = receipts[0]
    return Answer(ACCEPTED, located(receipt, base_url), receipt_json(receipt, base_url))
