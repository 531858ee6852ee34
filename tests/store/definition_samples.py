"""Integrations for tests of the store."""

from __future__ import annotations

from dataclasses import replace

from dispatcher.ids import new_hex24, new_uuid
from dispatcher.model.integration import Integration, Revision
from dispatcher.store.definitions.editing import Definitions

NOW_MS = 1_700_000_000_000


def fresh(name: str = "one", created_ms: int = NOW_MS) -> Integration:
    working = Revision(urls={"createUrl": "https://example.com/a"}, filter={"a": {"$in": []}})
    return Integration(new_uuid(), 0, new_hex24(), name, created_ms, created_ms, working=working)


def renamed(integration: Integration, name: str) -> Integration:
    return replace(integration, name=name)


async def publish(definitions: Definitions, integration: Integration) -> Integration:
    number = (integration.published_revision or 0) + 1
    return await definitions.publish(
        integration, integration.modified_ms, replace(integration.working, number=number, created_ms=NOW_MS)
    )
