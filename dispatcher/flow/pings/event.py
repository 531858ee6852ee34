"""The notification of a ping test: flagged STATELESS, with an id of its own and nothing real in it. Never queued."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from dispatcher.ids import new_uuid
from dispatcher.model.event import Event, EventState
from dispatcher.model.event_type import EventType
from dispatcher.model.integration import Integration
from dispatcher.model.status import Status
from dispatcher.policy.answers.outcome import STATELESS

PRODUCT = "ping-product"
ACCOUNT = "ping-account"

_USER = {
    "uuid": "00000000-0000-4000-8000-000000000001",
    "email": "ping@example.com",
    "firstName": "Ping",
    "lastName": "Test",
    "language": "en",
    "locale": "en-US",
}
_COMPANY = {"uuid": "00000000-0000-4000-8000-000000000002", "name": "Ping test", "country": "US"}
_ORDER = {"editionCode": "PING", "pricingDuration": "MONTHLY", "items": [{"unit": "USER", "quantity": 1}]}
_ACCOUNT = {"accountIdentifier": ACCOUNT, "status": "ACTIVE"}
_ADDON = {"account": _ACCOUNT, "addonInstance": {"id": "ping-addon"}}

_PAYLOADS: dict[EventType, dict[str, Any]] = {
    EventType.SUBSCRIPTION_ORDER: {"company": _COMPANY, "order": _ORDER},
    EventType.SUBSCRIPTION_CHANGE: {"account": _ACCOUNT, "order": _ORDER},
    EventType.SUBSCRIPTION_CANCEL: {"account": _ACCOUNT},
    EventType.SUBSCRIPTION_NOTICE: {"account": _ACCOUNT, "notice": {"type": "UPCOMING_INVOICE", "message": "ping"}},
    EventType.USER_ASSIGNMENT: {"account": _ACCOUNT, "user": _USER},
    EventType.USER_UNASSIGNMENT: {"account": _ACCOUNT, "user": _USER},
    EventType.USER_UPDATED: {"account": _ACCOUNT, "user": _USER},
    EventType.ADDON_ORDER: {"account": {**_ACCOUNT, "status": "INITIALIZED"}, "order": _ORDER},
    EventType.ADDON_CHANGE: _ADDON | {"order": _ORDER},
    EventType.ADDON_CANCEL: _ADDON,
    EventType.ADDON_BIND: _ADDON | {"addonBinding": {"id": "ping-binding"}, "user": _USER},
    EventType.ADDON_UNBIND: _ADDON | {"addonBinding": {"id": "ping-binding"}, "user": _USER},
}


def ping_event(integration: Integration, revision: int, kind: EventType) -> Event:
    """An event that looks like any other of its type, but for the flag."""
    return Event(
        id=new_uuid(),
        type=kind,
        integration_id=integration.id,
        revision=revision,
        product_id=next(iter(integration.linked_products), PRODUCT),
        account_id=ACCOUNT,
        flag=STATELESS,
        creator=None if kind is EventType.SUBSCRIPTION_NOTICE else dict(_USER),
        payload=deepcopy(_PAYLOADS.get(kind, {})),
    )


def ping_state(now_ms: int) -> EventState:
    """The state that goes with it: new, and in no order."""
    return EventState(Status.QUEUED, created_ms=now_ms)
