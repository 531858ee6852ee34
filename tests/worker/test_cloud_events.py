"""CloudEvents to hosts that want them, as the SDK of the CloudEvents project reads them; signed as ever."""

from __future__ import annotations

import json
from typing import Any

from cloudevents.core.bindings.http import HTTPMessage, from_http_event
from standardwebhooks import Webhook

from dispatcher.model.event_type import EventType
from dispatcher.model.integration import BodyFormat
from dispatcher.model.status import Status
from dispatcher.receiver import SubscriptionChange, Verifier, read_event
from tests.hosts import Received, Reply
from tests.worker.conftest import SECRET, Shop

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def cloud_event(request: Received) -> Any:
    """As a host that follows Standard Webhooks and CloudEvents reads it."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    Webhook(SECRET).verify(request.body, headers)
    return from_http_event(HTTPMessage(headers, request.body))


async def test_a_host_that_wants_cloud_events_gets_one_around_its_notification(shop: Shop) -> None:
    integration = await shop.integration(format=BodyFormat.CLOUDEVENTS)
    event_id = await shop.emit(integration, product_id="shop", subscription_id="S-1", trace=TRACE)
    await shop.work()
    stored = await shop.ended(event_id)
    (request,) = shop.host.requests
    assert request.headers.getall("Content-Type") == ["application/cloudevents+json"]  # type: ignore[attr-defined]
    found = cloud_event(request)
    assert (found.get_specversion(), found.get_id(), found.get_source()) == ("1.0", event_id, "http://dispatcher.test")
    assert (found.get_type(), found.get_subject()) == ("SUBSCRIPTION_CHANGE", "A")
    assert int(found.get_time().timestamp() * 1000) == stored.state.created_ms
    extensions = ("productid", "accountid", "subscriptionid", "traceparent", "flag")
    assert [found.get_extension(name) for name in extensions] == ["shop", "A", "S-1", TRACE, None]
    notification = found.get_data()
    assert (notification["id"], notification["type"]) == (event_id, "SUBSCRIPTION_CHANGE")
    assert notification["eventUrl"] == f"http://dispatcher.test/api/integration/v1/events/{event_id}"
    event = read_event(request.body, Verifier(SECRET).verify(request.headers, request.body).id)
    assert isinstance(event, SubscriptionChange)
    assert (event.document, event.cloud_event and event.cloud_event["traceparent"]) == (notification, TRACE)


async def test_a_retried_cloud_event_is_the_same_event(shop: Shop) -> None:
    shop.host.replies.append(Reply(500))
    event_id = await shop.emit(await shop.integration(format=BodyFormat.CLOUDEVENTS), account=None)
    await shop.work()
    assert (await shop.ended(event_id)).state.attempts == 2
    first, second = shop.host.requests
    assert first.body == second.body
    assert (first.headers["x-delivery-attempt"], second.headers["x-delivery-attempt"]) == ("1", "2")
    assert cloud_event(second).get_id() == cloud_event(first).get_id() == event_id
    assert "accountid" not in json.loads(first.body)


async def test_numbers_of_a_payload_reach_a_cloud_event_as_they_came(shop: Shop) -> None:
    integration = await shop.integration(format=BodyFormat.CLOUDEVENTS)
    amount = {"order": {"items": [{"quantity": 12345678901234567890}]}}
    event_id = await shop.emit(integration, kind=EventType.SUBSCRIPTION_ORDER, payload=amount)
    await shop.work()
    assert (await shop.ended(event_id)).state.status is Status.SUCCEEDED
    assert b'"quantity":12345678901234567890' in shop.host.requests[0].body
