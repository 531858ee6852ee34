"""A notification as a worker renders and signs it, from the event as the API shows it to hosts. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from dispatcher.clock import iso_ms
from dispatcher.model.event import Event, EventState
from dispatcher.model.event_type import EventType
from dispatcher.model.integration import WORKING
from dispatcher.model.status import Status
from dispatcher.policy.notification.body import build_body, event_url
from dispatcher.policy.notification.cloud_event import CLOUD_EVENT, enveloped
from dispatcher.policy.notification.signing import SigningKey, sign

USER_AGENT = "marketplace-dispatcher/1"


@dataclass(frozen=True, slots=True)
class Rendered:
    """A request but for time and signature. ``content_type`` None: a GET with ``query`` and without a body."""

    event_id: str
    type: str
    account_id: str | None
    body: bytes
    content_type: str | None
    query: str = ""


def rendered(document: Mapping[str, Any], definition: Mapping[str, Any], identifier: str | None) -> Rendered:
    """``document``: the event as a host reads it; ``definition``: its integration; ``identifier``: the account's."""
    event, state = _event(document), _state(document)
    marketplace = document["marketplace"]
    base_url = str(marketplace["baseUrl"])
    body = build_body(event, state, base_url=base_url, partner=marketplace["partner"], account_identifier=identifier)
    if definition.get("style") == "EVENT_URL_GET":
        query = f"eventUrl={quote(event_url(base_url, event.id), safe='')}"
        return Rendered(event.id, event.type.value, event.account_id, b"", None, query)
    if definition.get("format") == "CLOUDEVENTS":
        body = enveloped(event, iso_ms(state.created_ms), base_url, body)
        return Rendered(event.id, event.type.value, event.account_id, body, CLOUD_EVENT)
    return Rendered(event.id, event.type.value, event.account_id, body, "application/json")


def signed_headers(one: Rendered, key: SigningKey, attempt: int, now_s: int) -> dict[str, str]:
    """Headers of this try."""
    headers = {
        "User-Agent": USER_AGENT,
        "webhook-id": one.event_id,
        "webhook-timestamp": str(now_s),
        "webhook-signature": sign([key], one.event_id, now_s, one.body),
        "x-event-type": one.type,
        "x-delivery-attempt": str(attempt),
    }
    return headers | ({"Content-Type": one.content_type} if one.content_type else {})


def _event(document: Mapping[str, Any]) -> Event:
    return Event(
        id=document["id"],
        type=EventType(document["type"]),
        integration_id=document["integrationId"],
        revision=document["revision"] or WORKING,
        product_id=document["productId"],
        account_id=document["accountId"],
        subscription_id=document["subscriptionId"],
        flag=document["flag"],
        creator=document["creator"],
        payload=document["payload"],
    )


def _state(document: Mapping[str, Any]) -> EventState:
    return EventState(Status(document["status"]), document["createdOn"], sequence=document["sequence"])
