"""A plausible payload for each event type: for the API, `dispatcher emit` and the demo. All invented."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from dispatcher.model.event_type import EventType
from dispatcher.model.operational import OperationalKind
from dispatcher.model.status import Status

_USER = {
    "uuid": "7b1e0a4c-3d52-4d0e-9f0a-5c1f6a2b8e91",
    "email": "sam.sample@example.com",
    "firstName": "Sam",
    "lastName": "Sample",
    "language": "en",
    "locale": "en-US",
}
_COMPANY = {
    "uuid": "c6a0d8f2-91b7-4f5d-8a3e-2b4d7e9f1a60",
    "name": "Example Company",
    "country": "US",
    "website": "https://example.com",
}
_ORDER = {"editionCode": "BASIC", "pricingDuration": "MONTHLY", "items": [{"unit": "USER", "quantity": 5}]}
_UPGRADE = {"editionCode": "PREMIUM", "pricingDuration": "MONTHLY", "items": [{"unit": "USER", "quantity": 25}]}
_ADDON_ORDER = {"addonOfferingCode": "BACKUP", "pricingDuration": "MONTHLY", "items": []}
_ADDON = {"id": "addon-1"}

_STEP = {
    "function": "verifyConnection",
    "_integrationId": "6553f1000000017d3a9c5be2",
    "_connectionId": "56fd5ad0945c2345c4e678ac",
    "step": {"name": "Connection", "completed": False, "installerFunction": "verifyConnection"},
}

_SAMPLES: dict[EventType, dict[str, Any]] = {
    EventType.SUBSCRIPTION_ORDER: {"company": _COMPANY, "order": _ORDER, "configuration": {"domain": "example.com"}},
    EventType.SUBSCRIPTION_CHANGE: {"order": _UPGRADE},
    EventType.SUBSCRIPTION_CANCEL: {"account": {"status": "ACTIVE"}},
    EventType.SUBSCRIPTION_NOTICE: {"account": {"status": "ACTIVE"}, "notice": {"type": "UPCOMING_INVOICE"}},
    EventType.SUBSCRIPTION_STATUS: {
        "event": {
            "id": "01a20072-1ad0-78b5-a255-277af39f0009",
            "type": EventType.SUBSCRIPTION_ORDER.value,
            "status": Status.SUCCEEDED.value,
            "attempts": 1,
            "error": None,
        },
        "account": {"accountIdentifier": "account-1"},
    },
    EventType.INSTALL_STEP: _STEP,
    EventType.UNINSTALL_STEP: _STEP,
    EventType.MARKETPLACE_CALLBACK: {
        "Status": "installed",
        "AccountId": "account-1",
        "IntegrationId": "6553f1000000017d3a9c5be2",
        "ProductId": "product-1",
        "MarketplaceId": 27,
        "CompleteParameter": None,
    },
    EventType.OPERATIONAL: {
        "kind": OperationalKind.EVENT_DEAD.value,
        "data": {
            "integrationId": "5f157a26-0238-4f3f-9c31-1f3e65b4713e",
            "count": 1,
            "firstAt": "2026-01-02T03:04:05.678Z",
            "lastAt": "2026-01-02T03:04:05.678Z",
            "firstEventId": "01a20072-1ad0-78b5-a255-277af39f0009",
            "lastEventId": "01a20072-1ad0-78b5-a255-277af39f0009",
            "errorCode": "TRANSPORT_ERROR",
            "error": "no connection: Connection refused",
        },
    },
    EventType.USER_ASSIGNMENT: {"user": _USER},
    EventType.USER_UNASSIGNMENT: {"user": _USER},
    EventType.USER_UPDATED: {"user": _USER},
    EventType.ADDON_ORDER: {"order": _ADDON_ORDER},
    EventType.ADDON_CHANGE: {"addonInstance": _ADDON, "order": _ADDON_ORDER},
    EventType.ADDON_CANCEL: {"addonInstance": _ADDON},
    EventType.ADDON_BIND: {"addonInstance": _ADDON, "addonBinding": {"id": "binding-1"}, "user": _USER},
    EventType.ADDON_UNBIND: {"addonInstance": _ADDON, "addonBinding": {"id": "binding-1"}},
}


def sample_payload(kind: EventType) -> dict[str, Any]:
    """A copy that may be changed."""
    return deepcopy(_SAMPLES[kind])
