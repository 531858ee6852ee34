"""Index entries of an integration: by alias, by age, by inbound client, by vendor. Writes nothing itself."""

from __future__ import annotations

from dispatcher.model.integration import Integration
from dispatcher.store.documents.swap import Operation
from dispatcher.store.keys import definitions as keys


def created(integration: Integration) -> list[Operation]:
    """Index entries of a new integration."""
    return [
        *(Operation("HSET", keys.DEF_ALIASES, (alias, integration.id)) for alias in _aliases(integration)),
        Operation("ZADD", keys.DEF_INTEGRATIONS, (integration.created_ms, integration.id)),
        *changed_indexes(None, integration),
    ]


def deleted(integration: Integration) -> list[Operation]:
    """Takes every index entry of an integration away."""
    return [
        *(Operation("HDEL", keys.DEF_ALIASES, (alias,)) for alias in _aliases(integration)),
        Operation("ZREM", keys.DEF_INTEGRATIONS, (integration.id,)),
        *changed_indexes(integration, None),
    ]


def vendor_member(integration: Integration) -> str:
    """Its place among its vendor's integrations, oldest first; a vendor's id has no control characters."""
    return f"{integration.vendor_id}\n{integration.created_ms:015d}\n{integration.id}"


def changed_indexes(before: Integration | None, after: Integration | None) -> list[Operation]:
    """Keeps the indexes of inbound clients and of vendors in step with the record."""
    old = vendor_member(before) if before and before.vendor_id else None
    new = vendor_member(after) if after and after.vendor_id else None
    operations = _changed_inbound(before, after)
    if old and old != new:
        operations.append(Operation("ZREM", keys.DEF_VENDORS, (old,)))
    if new and old != new:
        operations.append(Operation("ZADD", keys.DEF_VENDORS, (0, new)))
    return operations


def _changed_inbound(before: Integration | None, after: Integration | None) -> list[Operation]:
    old = before.inbound_client.client_id if before and before.inbound_client else None
    new = after.inbound_client.client_id if after and after.inbound_client else None
    operations: list[Operation] = []
    if old and old != new:
        operations.append(Operation("HDEL", keys.DEF_INBOUND, (old,)))
    if new and after and old != new:
        operations.append(Operation("HSET", keys.DEF_INBOUND, (new, after.id)))
    return operations


def _aliases(integration: Integration) -> tuple[str, str]:
    return str(integration.app_market_id), integration.connector_id
