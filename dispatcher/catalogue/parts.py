"""The parts that payloads are made of, as JSON Schema definitions. Unknown fields are allowed everywhere."""

from __future__ import annotations

from typing import Any

from dispatcher.model.event_type import NOTICE_TYPES
from dispatcher.policy.payload_rules import ACCOUNT_STATUSES, PRICING_DURATIONS

Schema = dict[str, Any]

_TEXT: Schema = {"type": ["string", "null"]}
_ID: Schema = {"type": ["string", "integer", "null"]}
_QUANTITY: Schema = {
    "description": "A number, or its decimal text; hosts read a number",
    "type": ["number", "string", "null"],
    "pattern": r"^\s*-?[0-9]{1,15}(\.[0-9]{1,6})?\s*$",
}


def _one_of(values: frozenset[str]) -> Schema:
    return {"enum": [*sorted(values), None]}


def _object(description: str, **properties: Schema) -> Schema:
    return {"description": description, "type": ["object", "null"], "properties": properties}


_ITEM = _object("What is ordered", unit=_TEXT, quantity=_QUANTITY)

PARTS: dict[str, Schema] = {
    "user": _object(
        "Whom the event is about",
        uuid=_TEXT,
        email=_TEXT,
        firstName=_TEXT,
        lastName=_TEXT,
        language=_TEXT,
        locale=_TEXT,
        attributes={"type": ["object", "null"]},
    ),
    "company": _object(
        "Who buys", uuid=_TEXT, name=_TEXT, email=_TEXT, phoneNumber=_TEXT, website=_TEXT, country=_TEXT
    ),
    "account": _object(
        "The account at the product host; the dispatcher fills in the identifier that the host answered",
        accountIdentifier=_TEXT,
        parentAccountIdentifier=_TEXT,
        status=_one_of(ACCOUNT_STATUSES),
    ),
    "addonInstance": _object("The add-on that was bought", id=_ID),
    "addonBinding": _object("Which user has the add-on", id=_ID),
    "order": _object(
        "What is bought, and for how long",
        editionCode=_TEXT,
        addonOfferingCode=_TEXT,
        pricingDuration=_one_of(PRICING_DURATIONS),
        items={
            "description": "A list; a single item may stand for itself",
            "type": ["array", "object", "null"],
            "items": _ITEM | {"type": "object"},
            "properties": _ITEM["properties"],
        },
    ),
    "notice": _object("What there is to know", type=_one_of(NOTICE_TYPES), message=_TEXT),
    "configuration": {
        "description": "Answers to the purchase form, by field; an empty list is read as none",
        "type": ["object", "array", "null"],
        "maxItems": 0,
    },
}
"""By name within the payload."""
