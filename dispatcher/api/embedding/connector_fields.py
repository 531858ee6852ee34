"""A connector as host applications write it down and read it. Reads the form; judges no value."""

from __future__ import annotations

from typing import Any

from dispatcher.api.embedding.fields import Fields
from dispatcher.flow.connectors.connectors import Seen
from dispatcher.model.connector import ConnectorAuth
from dispatcher.model.deployment import MASK, ConnectorAsked
from dispatcher.policy.installing.connector_auth import MAX_CHARS

MAX_VALUE_CHARS = 4096
_GIVEN_KINDS = {
    kind.value.casefold(): kind for kind in (ConnectorAuth.BASIC, ConnectorAuth.API_KEY, ConnectorAuth.OAUTH)
}


def connector_in(fields: Fields, name: str | None = None) -> ConnectorAsked:
    """``name``: of a connector that exists, unless another is given."""
    return ConnectorAsked(
        fields.text("Name") or name or fields.needed("Name"),
        fields.label("Version", 64),
        _auth_value(fields),
        _auth_type(fields),
        _properties(fields),
        fields.text("Description", 4096),
    )


def connector_json(seen: Seen, auth_value: str | None) -> dict[str, Any]:
    """``auth_value`` in clear, or a mask, or None."""
    connector, template = seen.connector, seen.template
    properties = [
        {"Id": one.id, "AccountConnectorId": connector.id, "Name": one.name, "Value": one.value}
        for one in connector.properties
    ]
    return {
        "Id": connector.id,
        "AccountId": connector.account_id,
        "Name": connector.name,
        "Description": connector.description,
        "Version": connector.version,
        "Connector": {
            "Id": template.id if template else None,
            "Name": template.name if template else connector.name,
            "Version": connector.version,
        },
        "AuthValue": auth_value,
        "AuthType": seen.auth_type.value if seen.auth_type else None,
        "Authenticated": connector.authenticated,
        "IsPartnerIntegrationConnector": seen.partner,
        "Properties": properties,
        "ConnectionId": connector.connection_id,
        "IntegrationId": connector.integration_id,
        "NeedsAttention": connector.needs_attention,
    }


def masked(seen: Seen) -> str | None:
    return MASK if seen.connector.auth_value else None


def _auth_value(fields: Fields) -> str | None:
    """None = not mentioned; empty = there is none."""
    return (fields.secret("AuthValue", MAX_CHARS) or "") if fields.mentions("AuthValue") else None


def _auth_type(fields: Fields) -> ConnectorAuth | None:
    text = fields.text("AuthType")
    if text is None:
        return None
    kind = _GIVEN_KINDS.get(text.casefold())
    if kind is None:
        raise fields.wrong("AuthType", f"Give one of {', '.join(one.value for one in _GIVEN_KINDS.values())}, or null.")
    return kind


def _properties(fields: Fields) -> tuple[tuple[str, str], ...] | None:
    """``Id`` and ``AccountConnectorId`` are those of the connector that was copied: they are not heeded."""
    entries = fields.entries("Properties")
    if entries is None:
        return None
    found = [(one.needed("Name"), one.text("Value", MAX_VALUE_CHARS) or "") for one in entries]
    names = [name.casefold() for name, _ in found]
    if len(set(names)) < len(names):
        raise fields.wrong("Properties", "Name each property once.")
    return tuple(found)
