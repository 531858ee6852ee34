"""The JSON Schema (2020-12) of each type's payload. Stricter than what is accepted unless an integration asks for it.

A schema is changed only by allowing more; anything else is a new version.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from dispatcher.catalogue.parts import PARTS, Schema
from dispatcher.model.event_type import EventType
from dispatcher.model.operational import OperationalKind
from dispatcher.model.status import Status

DIALECT = "https://json-schema.org/draft/2020-12/schema"


@dataclass(frozen=True, slots=True)
class Entry:
    """One type. ``needed``: parts that must be there, each with the fields that it must have."""

    description: str
    needed: dict[str, tuple[str, ...]] = field(default_factory=dict)
    version: str = "1"


ENTRIES: dict[EventType, Entry] = {
    EventType.SUBSCRIPTION_ORDER: Entry("A customer bought the product", {"order": ("editionCode",)}),
    EventType.SUBSCRIPTION_CHANGE: Entry("A subscription was up- or downgraded", {"order": ("editionCode",)}),
    EventType.SUBSCRIPTION_CANCEL: Entry("A subscription was cancelled"),
    EventType.SUBSCRIPTION_NOTICE: Entry("Something happened to a subscription", {"notice": ("type",)}),
    EventType.SUBSCRIPTION_STATUS: Entry("Another event ended, or awaits its result; sent by the dispatcher itself"),
    EventType.INSTALL_STEP: Entry("Is this step of an installation done? Sent by the dispatcher itself, once"),
    EventType.UNINSTALL_STEP: Entry("Undo this step of an installation; sent by the dispatcher itself, once"),
    EventType.MARKETPLACE_CALLBACK: Entry(
        "For host applications: what was (un)installed; sent by the dispatcher itself"
    ),
    EventType.OPERATIONAL: Entry("For operators: credentials, circuits, dead letters; sent by the dispatcher itself"),
    EventType.USER_ASSIGNMENT: Entry("A user was given access", {"user": ()}),
    EventType.USER_UNASSIGNMENT: Entry("A user lost access", {"user": ()}),
    EventType.USER_UPDATED: Entry("A user's data changed", {"user": ()}),
    EventType.ADDON_ORDER: Entry("A customer bought an add-on", {"order": ("addonOfferingCode",)}),
    EventType.ADDON_CHANGE: Entry("An add-on was changed", {"addonInstance": ("id",), "order": ()}),
    EventType.ADDON_CANCEL: Entry("An add-on was cancelled", {"addonInstance": ("id",)}),
    EventType.ADDON_BIND: Entry("A user was given an add-on", {"addonInstance": ("id",)}),
    EventType.ADDON_UNBIND: Entry("A user lost an add-on", {"addonInstance": ("id",), "addonBinding": ("id",)}),
}

_STATUS: Schema = {
    "required": ["event"],
    "properties": {
        "event": {
            "description": "The event that this one reports on",
            "type": "object",
            "required": ["id", "type", "status", "attempts"],
            "properties": {
                "id": {"type": "string"},
                "type": {"enum": sorted(EventType)},
                "status": {"enum": sorted(Status)},
                "attempts": {"type": "integer", "minimum": 0},
                "error": {
                    "type": ["object", "null"],
                    "properties": {"code": {"type": "string"}, "message": {"type": ["string", "null"]}},
                },
            },
        },
        "account": {"$ref": "#/$defs/account"},
    },
    "$defs": {"account": PARTS["account"]},
}


_OPERATIONAL: Schema = {
    "required": ["kind", "data"],
    "properties": {
        "kind": {"description": "What happened", "enum": sorted(OperationalKind)},
        "data": {
            "type": "object",
            "required": ["integrationId", "count", "firstAt", "lastAt"],
            "properties": {
                "integrationId": {"description": "null = several", "type": ["string", "null"]},
                "count": {"description": "How often it happened", "type": "integer", "minimum": 1},
                "firstAt": {"type": "string"},
                "lastAt": {"type": "string"},
                "firstEventId": {"type": ["string", "null"]},
                "lastEventId": {"type": ["string", "null"]},
            },
        },
    },
}

_STEP: Schema = {
    "required": ["function", "_integrationId", "step"],
    "properties": {
        "function": {"description": "The step's installerFunction or uninstallerFunction", "type": "string"},
        "_integrationId": {"description": "The installation", "type": "string"},
        "_connectionId": {"type": ["string", "null"]},
        "step": {"description": "The step as it stands", "type": "object"},
        "bearerToken": {
            "description": "For one request to this installation, within 15 minutes; only in what is sent",
            "type": "string",
        },
    },
}

_CALLBACK: Schema = {
    "required": ["Status", "AccountId", "IntegrationId"],
    "properties": {
        "Status": {"enum": ["installed", "uninstalled"]},
        "AccountId": {"type": "string"},
        "IntegrationId": {"description": "The installation", "type": "string"},
        "ProductId": {"type": ["string", "null"]},
        "MarketplaceId": {"type": "integer"},
        "CompleteParameter": {"description": "As it came with the session", "type": ["string", "null"]},
    },
}

_OWN: dict[EventType, Schema] = {
    EventType.SUBSCRIPTION_STATUS: _STATUS,
    EventType.OPERATIONAL: _OPERATIONAL,
    EventType.INSTALL_STEP: _STEP,
    EventType.UNINSTALL_STEP: _STEP,
    EventType.MARKETPLACE_CALLBACK: _CALLBACK,
}
"""Types that the dispatcher itself sends, whose payloads are made of other parts."""


def payload_schema(kind: EventType) -> Schema:
    """A new document, which refers to nothing outside itself."""
    entry = ENTRIES[kind]
    return {
        "$schema": DIALECT,
        "$id": f"urn:marketplace-dispatcher:event-type:{kind.value}:{entry.version}",
        "title": kind.value,
        "description": entry.description,
        "type": "object",
        **(_OWN.get(kind) or _parts(entry)),
    }


def _parts(entry: Entry) -> Schema:
    return {
        "required": list(entry.needed),
        "properties": {name: {"$ref": f"#/$defs/{name}"} | _needed(entry, name) for name in PARTS},
        "$defs": PARTS,
    }


def _needed(entry: Entry, name: str) -> Schema:
    """The demands on a part beyond its definition: there, with certain fields that are not null."""
    if name not in entry.needed:
        return {}
    fields = entry.needed[name]
    not_null = {one: {"not": {"type": "null"}} for one in fields}
    return {"type": "object"} | ({"required": list(fields), "properties": not_null} if fields else {})
