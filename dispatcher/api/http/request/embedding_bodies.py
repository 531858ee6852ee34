"""Bodies of the calls of host applications, whose names are in PascalCase and may be in any case. Data only."""

from __future__ import annotations

from typing import Any

Body = dict[str, Any]


def _text(about: str, most: int = 255) -> Body:
    return {"type": ["string", "null"], "maxLength": most, "description": about}


_CONNECTOR: Body = {
    "Name": _text("Name of the connector"),
    "Version": {"type": ["string", "number", "null"], "maxLength": 64, "description": "Version of it"},
    "AuthValue": {"description": "What authenticates it, as its AuthType has it; `******` stays as it is"},
    "AuthType": {"description": "How it authenticates"},
    "Properties": {
        "type": ["array", "null"],
        "items": {"type": "object"},
        "description": "Further values: objects with Name and Value",
    },
    "Description": _text("A text for people", 4096),
}
_HOST_URL = r"^\s*$|^https?://[a-z0-9]+([.-][a-z0-9]+)*(/[A-Za-z0-9._~/-]*)?$"
_SESSION: Body = {
    "Username": {"type": "string", "minLength": 1, "maxLength": 255, "description": "The user at the host application"},
    "Password": {"type": "string", "minLength": 1, "maxLength": 1024, "description": "Known to the host alone"},
    "MarketplaceId": {
        "type": ["integer", "string", "null"],
        "minimum": 1,
        "pattern": "^[1-9][0-9]{0,8}$",
        "description": "Number of the marketplace to open",
    },
    "AccountId": _text("The account; without it AccountName is needed", 128),
    "AccountName": _text("The account's name for people, with which it is made"),
    "PartnerConnector": {
        "type": ["object", "null"],
        "properties": _CONNECTOR,
        "description": "Connector of the host application itself",
    },
    "InlineOAuth": {"type": ["boolean", "null"], "description": "Whether a sign-in opens within the page"},
    "CompleteParameter": _text("Handed back when an installation is complete", 4096),
    "ProductId": _text("The product to open"),
    "Language": _text("Language of the pages, such as de-CH", 35),
    "HostUrl": _text("Page of the host application, http or https", 2048) | {"pattern": _HOST_URL},
    "Role": {
        "type": ["string", "null"],
        "pattern": r"^(\s*| *([Oo][Ww][Nn][Ee][Rr]|[Mm][Ee][Mm][Bb][Ee][Rr]) *)$",
        "description": "Owner or Member; Owner unless given",
    },
}
_NAMED = r"\S"
_SESSION_BODY: Body = {
    "required": ["Username", "Password"],
    "properties": _SESSION,
    "anyOf": [
        {"required": [name], "properties": {name: {"type": "string", "pattern": _NAMED}}}
        for name in ("AccountId", "AccountName")
    ],
}
_USER = {"Username": "ada@acme.example", "Password": "correct horse battery", "AccountName": "Acme", "MarketplaceId": 1}


def _json(schema: Body, example: Body) -> Body:
    return {"application/json": {"schema": {"type": "object"} | schema, "example": example}}


EMBEDDING_BODIES: dict[tuple[str, str], Body] = {
    ("POST", "/v1.0/users/marketplace"): _json(_SESSION_BODY, _USER),
    ("POST", "/v1.0/users/launch"): _json(_SESSION_BODY, _USER),
    ("PUT", "/v1.0/account/connectors/{connectorId}"): _json({"properties": _CONNECTOR}, {"Name": "Shop"}),
    ("POST", "/v1.0/connectors/{templateId}/install"): _json({"properties": _CONNECTOR}, {"Name": "Shop"}),
}
