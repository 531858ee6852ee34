"""The AsyncAPI 3 document of all that is sent, made of the catalogue: channels are URL fields, messages event types.

Describes; never sends. What a host receives as a CloudEvent has these messages as its data.
"""

from __future__ import annotations

from typing import Any

from dispatcher.catalogue.parts import PARTS, Schema
from dispatcher.catalogue.schemas import ENTRIES, payload_schema
from dispatcher.model.event_type import TYPE_RULES, EventType

VERSION = "3.0.0"
_HTTP = {"http": {"method": "POST", "bindingVersion": "0.3.0"}}
_TEXT: Schema = {"type": "string"}
_TEXT_OR_NULL: Schema = {"type": ["string", "null"]}
_OBJECT_OR_NULL: Schema = {"type": ["object", "null"]}
_MARKETPLACE: Schema = {"type": "object", "properties": {"partner": _TEXT, "baseUrl": _TEXT}}
_NOTIFICATION: Schema = {
    "type": "object",
    "required": ["id", "eventUrl", "sequence", "timestamp", "type", "marketplace", "payload"],
    "properties": {
        "id": {"type": "string", "description": "The same on every attempt; also webhook-id"},
        "eventUrl": {"type": "string", "description": "Reads the event; takes its result below /result"},
        "sequence": {"type": "integer", "minimum": 0, "description": "Of this account, from 1; 0 without an account"},
        "timestamp": {"type": "string", "format": "date-time"},
        "type": _TEXT,
        "marketplace": _MARKETPLACE,
        "applicationUuid": _TEXT_OR_NULL,
        "flag": {"enum": [None, "DEVELOPMENT"]},
        "creator": _OBJECT_OR_NULL,
        "payload": _OBJECT_OR_NULL,
        "returnUrl": _TEXT_OR_NULL,
        "links": {"type": "array"},
        "productId": _TEXT_OR_NULL,
        "subscriptionId": _TEXT_OR_NULL,
        "accountId": _TEXT_OR_NULL,
    },
}
_HEADERS: Schema = {
    "type": "object",
    "required": ["webhook-id", "webhook-timestamp", "webhook-signature", "x-event-type", "x-delivery-attempt"],
    "properties": {
        "webhook-id": _TEXT,
        "webhook-timestamp": {"type": "string", "description": "Seconds since 1970"},
        "webhook-signature": {"type": "string", "description": "Standard Webhooks: v1 or v1a entries"},
        "x-event-type": {"enum": sorted(EventType)},
        "x-delivery-attempt": {"type": "string", "description": "1 for the first"},
        "traceparent": {"type": "string", "description": "W3C trace context, where the emitter sent one"},
    },
}
_ANSWER: Schema = {
    "type": "object",
    "properties": {
        "success": {"enum": [True, False, "true", "false"]},
        "accountIdentifier": _TEXT_OR_NULL,
        "errorCode": _TEXT_OR_NULL,
        "message": _TEXT_OR_NULL,
    },
}


def asyncapi_document(title: str, version: str) -> dict[str, Any]:
    """The whole document; every type is in it."""
    by_channel: dict[str, list[EventType]] = {}
    for kind, rule in TYPE_RULES.items():
        by_channel.setdefault(rule.url_field, []).append(kind)
    return {
        "asyncapi": VERSION,
        "info": {"title": title, "version": version, "license": {"name": "Apache-2.0"}},
        "defaultContentType": "application/json",
        "channels": {name: _channel(name, kinds) for name, kinds in by_channel.items()} | {"answer": _ANSWERS},
        "operations": {f"send.{name}": _operation(name, kinds) for name, kinds in by_channel.items()},
        "components": {
            "messages": {kind.value: _message(kind) for kind in EventType} | {"answer": _ANSWER_MESSAGE},
            "schemas": {**PARTS, "notification": _NOTIFICATION, "headers": _HEADERS, "answer": _ANSWER},
        },
    }


_ANSWERS: dict[str, Any] = {
    "address": None,
    "description": "The response to each notification",
    "messages": {"answer": {"$ref": "#/components/messages/answer"}},
}
_ANSWER_MESSAGE: dict[str, Any] = {
    "description": "As JSON, or as XML with the same names; 202 without one reports the result later",
    "payload": {"$ref": "#/components/schemas/answer"},
}


def _channel(name: str, kinds: list[EventType]) -> dict[str, Any]:
    return {
        "address": None,
        "title": name,
        "description": f"The URL that is configured as {name}",
        "messages": {kind.value: {"$ref": f"#/components/messages/{kind.value}"} for kind in kinds},
    }


def _operation(name: str, kinds: list[EventType]) -> dict[str, Any]:
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{name}"},
        "messages": [{"$ref": f"#/channels/{name}/messages/{kind.value}"} for kind in kinds],
        "reply": {"channel": {"$ref": "#/channels/answer"}},
        "bindings": _HTTP,
    }


def _message(kind: EventType) -> dict[str, Any]:
    return {
        "name": kind.value,
        "title": ENTRIES[kind].description,
        "headers": {"$ref": "#/components/schemas/headers"},
        "payload": _body(kind),
    }


def _body(kind: EventType) -> Schema:
    """The body that is POSTed; most are notifications around the payload of their type."""
    payload: Schema = _within_document(payload_schema(kind))
    if kind is EventType.MARKETPLACE_CALLBACK:
        return payload
    if kind is EventType.OPERATIONAL:
        said = payload["properties"]
        own = {"id": _TEXT, "type": said["kind"], "timestamp": _TEXT, "marketplace": _MARKETPLACE, "data": said["data"]}
        return {"type": "object", "required": ["id", "type"], "properties": own}
    own = {"type": {"const": kind.value}, "payload": payload}
    return {"allOf": [{"$ref": "#/components/schemas/notification"}, {"type": "object", "properties": own}]}


def _within_document(schema: Any) -> Any:
    """A schema as a part of this document: its definitions are the document's."""
    if isinstance(schema, list):
        return [_within_document(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {name: value for name, value in schema.items() if name not in ("$schema", "$id", "$defs")}
    moved = {name: _within_document(value) for name, value in kept.items()}
    if "$ref" in moved:
        moved["$ref"] = moved["$ref"].replace("#/$defs/", "#/components/schemas/")
    return moved
