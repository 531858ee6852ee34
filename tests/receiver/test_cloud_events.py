"""CloudEvents in both modes are read as the notification that they hold, and only what is signed is believed."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from cloudevents.core.bindings.http import HTTPMessage, to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent

from dispatcher.model.event import Event as QueuedEvent
from dispatcher.model.event_type import EventType
from dispatcher.policy.notification.cloud_event import enveloped
from dispatcher.receiver import Answer, Event, Receiver, UnreadableEvent, Verifier, read_event, succeeded
from dispatcher.receiver.reading import MARKETPLACE_EVENTS, OPERATIONAL
from tests.receiver.signed import NOW_S, SECRET, notification, signed

ORDER = notification("SUBSCRIPTION_ORDER", {"order": {"editionCode": "BASIC"}})
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def cloud_event(**more: Any) -> CloudEvent:
    attributes = {"id": "e-1", "source": "https://m.example", "type": "SUBSCRIPTION_ORDER", "specversion": "1.0"}
    return CloudEvent(attributes | {"datacontenttype": "application/json"} | more, json.loads(ORDER))


async def received(message: HTTPMessage) -> tuple[Answer, list[Event]]:
    """Answer of a host to it once it is signed, and the events that reached its handler."""
    seen: list[Event] = []

    def note(event: Event) -> Answer:
        seen.append(event)
        return succeeded()

    receiver = Receiver(Verifier(SECRET), clock=lambda: NOW_S)
    receiver.on(Event)(note)
    return await receiver.receive({**message.headers, **signed(message.body)}, message.body), seen


@pytest.mark.parametrize("kind", sorted(MARKETPLACE_EVENTS))
def test_what_the_dispatcher_puts_into_a_cloud_event_is_read_as_without_it(kind: str) -> None:
    body = notification(kind)
    queued = QueuedEvent("e-1", EventType(kind), "i-1", 1, "p-1", "acme", None, None, {}, {}, trace=TRACE)
    event = read_event(enveloped(queued, "2026-11-21T23:30:00.000Z", "https://m.example", body), "e-1")
    assert event.cloud_event is not None
    assert (event.cloud_event["traceparent"], event.cloud_event["accountid"]) == (TRACE, "acme")
    assert "data" not in event.cloud_event
    assert replace(event, cloud_event=None) == read_event(body, "e-1")


async def test_structured_mode_reaches_the_handler_of_its_type() -> None:
    answer, (event,) = await received(to_structured_event(cloud_event(traceparent=TRACE)))
    assert (answer.status, event.type, event.account_id) == (200, "SUBSCRIPTION_ORDER", "acme")
    assert event.cloud_event is not None
    assert event.cloud_event["traceparent"] == TRACE


async def test_binary_mode_is_the_notification_itself_whatever_its_headers_say() -> None:
    answer, (event,) = await received(to_binary_event(cloud_event(type="SUBSCRIPTION_CANCEL", id="e-2")))
    assert (answer.status, event.id, event.type, event.cloud_event) == (200, "e-1", "SUBSCRIPTION_ORDER", None)


async def test_a_cloud_event_of_something_else_is_no_operational_notice() -> None:
    answer, seen = await received(HTTPMessage({}, b'{"specversion": "1.0", "type": "event.dead", "data": {}}'))
    assert (answer.status, seen) == (200, [])
    assert b"type is missing" in answer.body()
    notice = read_event(b'{"type": "event.dead", "data": {"count": 1}}', "e-1")
    assert notice.type == OPERATIONAL


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"specversion": "0.3"}, "specversion is not 1.0"),
        ({"specversion": None}, "specversion is not 1.0"),
        ({"datacontenttype": "application/xml"}, "datacontenttype"),
        ({"datacontenttype": ["application/json"]}, "datacontenttype"),
        ({"data": None, "data_base64": "e30="}, "data is not an object"),
        ({"data": [{}]}, "data is not an object"),
    ],
)
def test_a_cloud_event_that_holds_no_notification_is_named(wrong: dict[str, Any], said: str) -> None:
    document = json.loads(to_structured_event(cloud_event()).body) | wrong
    with pytest.raises(UnreadableEvent, match=said):
        read_event(json.dumps(document).encode(), "e-1")


@pytest.mark.parametrize("media", [None, "application/json; charset=utf-8", "APPLICATION/JSON", "application/x+json"])
def test_every_way_to_say_json_is_taken(media: str | None) -> None:
    document = json.loads(to_structured_event(cloud_event()).body) | {"datacontenttype": media}
    assert read_event(json.dumps(document).encode(), "e-1").account_id == "acme"
