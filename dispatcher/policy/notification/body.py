"""The body of a notification, as product hosts of such marketplaces parse it. Serialised once: these bytes are signed.

Every key of the format is present; what the caller's payload carries beyond the format is kept as it came.
"""

from __future__ import annotations

import re
from typing import Any

import orjson

from dispatcher.clock import iso_ms
from dispatcher.model import exact_numbers
from dispatcher.model.event import Event, EventState
from dispatcher.model.event_type import STEP_TYPES, EventType
from dispatcher.model.status import Status

_PAYLOAD: dict[str, Any] = {
    "user": None,
    "company": None,
    "account": None,
    "addonInstance": None,
    "addonBinding": None,
    "order": None,
    "notice": None,
    "configuration": {},
}
_ACCOUNT: dict[str, Any] = {"accountIdentifier": None, "status": None, "parentAccountIdentifier": None}
_ABOUT_A_USER = frozenset({EventType.USER_ASSIGNMENT, EventType.USER_UNASSIGNMENT})
_QUANTITY = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,6})?")


def build_body(
    event: Event, state: EventState, *, base_url: str, partner: str, account_identifier: str | None
) -> bytes:
    """Compact UTF-8 JSON. ``account_identifier`` is what the host answered to this account's order, if it did."""
    if event.type is EventType.OPERATIONAL:
        return _operational_body(event, state, base_url, partner)
    if event.type is EventType.MARKETPLACE_CALLBACK:
        return orjson.dumps(event.payload or {})
    return exact_numbers.dumps(
        {
            "id": event.id,
            "eventUrl": event_url(base_url, event.id),
            "sequence": state.sequence,
            "timestamp": iso_ms(state.created_ms),
            "type": event.type.value,
            "marketplace": {"partner": partner, "baseUrl": base_url},
            "applicationUuid": None,
            "flag": event.flag,
            "creator": event.creator,
            "payload": event.payload if event.type in STEP_TYPES else _payload(event, account_identifier),
            "returnUrl": None,
            "links": [],
            "productId": event.product_id,
            "subscriptionId": event.subscription_id,
            "accountId": event.account_id,
        }
    )


def _operational_body(event: Event, state: EventState, base_url: str, partner: str) -> bytes:
    """The body that operators read: flat, and of the form that Standard Webhooks recommends."""
    message = event.payload or {}
    return orjson.dumps(
        {
            "id": event.id,
            "type": message.get("kind"),
            "timestamp": iso_ms(state.created_ms),
            "marketplace": {"partner": partner, "baseUrl": base_url},
            "data": message.get("data"),
        }
    )


def event_url(base_url: str, event_id: str) -> str:
    """The URL at which the host reads the event, and below which it reports the result."""
    return f"{base_url}/api/integration/v1/events/{event_id}"


def status_payload(
    event_id: str,
    kind: EventType,
    status: Status,
    attempts: int,
    error: dict[str, Any] | None,
    account: dict[str, Any] | None,
) -> dict[str, Any]:
    """The payload of a SUBSCRIPTION_STATUS notification about another event."""
    about = {"id": event_id, "type": kind.value, "status": status.value, "attempts": attempts, "error": error}
    return {"event": about, "account": account}


def _payload(event: Event, account_identifier: str | None) -> dict[str, Any]:
    payload = _PAYLOAD | event.payload if event.payload else dict(_PAYLOAD)
    if not payload["configuration"]:
        payload["configuration"] = {}
    if payload["order"]:
        payload["order"] = _order(payload["order"])
    if payload["user"] is None and event.type in _ABOUT_A_USER:
        payload["user"] = event.creator
    known = None if event.type is EventType.SUBSCRIPTION_ORDER else account_identifier
    payload["account"] = _account(payload["account"], known)
    return payload


def _account(account: Any, identifier: str | None) -> Any:
    if not account:
        return _ACCOUNT | {"accountIdentifier": identifier} if identifier else None
    if not isinstance(account, dict):
        return account
    filled = _ACCOUNT | account
    filled["accountIdentifier"] = filled["accountIdentifier"] or identifier
    return filled


def _order(order: Any) -> Any:
    """Quantities as numbers, items as a list: marketplaces write both forms, hosts read one."""
    items = order.get("items") if isinstance(order, dict) else None
    if isinstance(items, dict):
        items = [items]
    if not isinstance(items, list):
        return order
    return order | {"items": [_item(item) for item in items]}


def _item(item: Any) -> Any:
    quantity = item.get("quantity") if isinstance(item, dict) else None
    if isinstance(quantity, str) and _QUANTITY.fullmatch(quantity.strip()):
        return item | {"quantity": float(quantity) if "." in quantity else int(quantity)}
    return item
