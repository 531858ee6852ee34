"""The body of a genuine notification → the event of its type. Never raises anything but ``UnreadableEvent``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any, cast

import orjson

from dispatcher.receiver import events
from dispatcher.receiver.cloud_events import opened
from dispatcher.receiver.events import Event, Json, MarketplaceEvent, UnreadableEvent

CALLBACK = "MARKETPLACE_CALLBACK"
OPERATIONAL = "OPERATIONAL"


MARKETPLACE_EVENTS: dict[str, type[MarketplaceEvent]] = {
    "SUBSCRIPTION_ORDER": events.SubscriptionOrder,
    "SUBSCRIPTION_CHANGE": events.SubscriptionChange,
    "SUBSCRIPTION_CANCEL": events.SubscriptionCancel,
    "SUBSCRIPTION_NOTICE": events.SubscriptionNotice,
    "USER_ASSIGNMENT": events.UserAssignment,
    "USER_UNASSIGNMENT": events.UserUnassignment,
    "USER_UPDATED": events.UserUpdated,
    "ADDON_ORDER": events.AddonOrder,
    "ADDON_CHANGE": events.AddonChange,
    "ADDON_CANCEL": events.AddonCancel,
    "ADDON_BIND": events.AddonBind,
    "ADDON_UNBIND": events.AddonUnbind,
}


def read_event(body: bytes, webhook_id: str) -> Event:
    """Raises ``UnreadableEvent``. Verify first: what is read here is believed."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise UnreadableEvent(f"the body is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise UnreadableEvent("the body is not a JSON object")
    notification, attributes = opened(document)
    event = _read(notification, webhook_id)
    return event if attributes is None else replace(event, cloud_event=attributes)


def _read(document: Json, webhook_id: str) -> Event:
    if "type" not in document and "IntegrationId" in document:
        return _callback(document, webhook_id)
    kind = _text(document, "type")
    if "payload" not in document and "data" in document:
        return _operational(document, webhook_id, kind)
    return _of_type(document, webhook_id, kind)


def _of_type(document: Json, webhook_id: str, kind: str) -> Event:
    payload = _object(document, "payload") or {}
    frame = _frame(document, webhook_id, kind)
    if (known := MARKETPLACE_EVENTS.get(kind)) is not None:
        return known(**frame, **_parts(known, payload))
    make = _OWN.get(kind)
    return make(frame, payload) if make else events.UnknownEvent(**frame)


def _frame(document: Json, webhook_id: str, kind: str) -> dict[str, Any]:
    sequence = document.get("sequence", 0)
    return {
        "id": webhook_id,
        "type": kind,
        "document": document,
        "sequence": sequence if isinstance(sequence, int) else 0,
        "event_url": _text_or_none(document, "eventUrl"),
        "timestamp": _text_or_none(document, "timestamp"),
        "flag": _text_or_none(document, "flag"),
        "product_id": _text_or_none(document, "productId"),
        "account_id": _text_or_none(document, "accountId"),
        "subscription_id": _text_or_none(document, "subscriptionId"),
        "creator": _object(document, "creator"),
    }


def _parts(known: type[MarketplaceEvent], payload: Json) -> dict[str, Any]:
    found = {name: _object(payload, camel, "payload.") for name, camel in _PARTS.items()}
    return {name: {} if part is None and name in _NEEDED[known] else part for name, part in found.items()}


_NEEDED = {known: frozenset(known.__annotations__) | {"configuration"} for known in MARKETPLACE_EVENTS.values()}
"""Parts that are never None: those that the class itself declares, and the configuration."""


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


_PARTS = {one.name: _camel(one.name) for one in fields(MarketplaceEvent)[len(fields(Event)) :]}


def _status(frame: dict[str, Any], payload: Json) -> Event:
    about = _object(payload, "event", "payload.")
    if about is None:
        raise UnreadableEvent("payload.event is missing")
    account = _object(payload, "account", "payload.")
    return events.SubscriptionStatus(**frame, event=cast("Any", about), account=cast("Any", account))


def _step(kind: type[events.InstallStep]) -> Callable[[dict[str, Any], Json], Event]:
    def make(frame: dict[str, Any], payload: Json) -> Event:
        return kind(
            **frame,
            function=_text(payload, "function", "payload."),
            integration_id=_text(payload, "_integrationId", "payload."),
            step=_object(payload, "step", "payload.") or {},
            connection_id=_text_or_none(payload, "_connectionId", "payload."),
            bearer_token=_text_or_none(payload, "bearerToken", "payload."),
        )

    return make


_OWN: dict[str, Callable[[dict[str, Any], Json], Event]] = {
    "SUBSCRIPTION_STATUS": _status,
    "INSTALL_STEP": _step(events.InstallStep),
    "UNINSTALL_STEP": _step(events.UninstallStep),
}


def _callback(document: Json, webhook_id: str) -> Event:
    marketplace_id = document.get("MarketplaceId")
    return events.MarketplaceCallback(
        id=webhook_id,
        type=CALLBACK,
        document=document,
        status=_text(document, "Status"),
        integration_id=_text(document, "IntegrationId"),
        account_id=_text_or_none(document, "AccountId"),
        product_id=_text_or_none(document, "ProductId"),
        marketplace_id=marketplace_id if isinstance(marketplace_id, int) else None,
        complete_parameter=_text_or_none(document, "CompleteParameter"),
    )


def _operational(document: Json, webhook_id: str, kind: str) -> Event:
    timestamp = _text_or_none(document, "timestamp")
    data = _object(document, "data") or {}
    return events.OperationalNotice(
        id=webhook_id, type=OPERATIONAL, document=document, kind=kind, data=data, timestamp=timestamp
    )


def _text(document: Json, name: str, before: str = "") -> str:
    found = _text_or_none(document, name, before)
    if found is None:
        raise UnreadableEvent(f"{before}{name} is missing")
    return found


def _text_or_none(document: Json, name: str, before: str = "") -> str | None:
    found = document.get(name)
    if found is None or isinstance(found, str):
        return found
    raise UnreadableEvent(f"{before}{name} is not a text")


def _object(document: Json, name: str, before: str = "") -> Json | None:
    found = document.get(name)
    if found is None or isinstance(found, dict):
        return found
    raise UnreadableEvent(f"{before}{name} is not an object")
