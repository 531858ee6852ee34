"""An integration for as long as somebody listens: its product's events are held for it, and go with it.

It sends nothing: it is paused before a product leads to it, and its URL is a name that never resolves (RFC 6761).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from dispatcher.client import Client
from dispatcher.errors import ConfigurationError
from dispatcher.model.event_type import URL_FIELDS

NOWHERE = "https://listen.invalid/notifications"
REASON = "held for `dispatcher listen`"


@asynccontextmanager
async def temporary_integration(client: Client, product: str) -> AsyncIterator[str]:
    """Its id. Raises ConfigurationError for a product that leads to another integration already."""
    await _require_free(client, product)
    document = {"name": f"listen: {product}"} | dict.fromkeys(URL_FIELDS, NOWHERE)
    made = str((await client.definitions.create(document))["definition"]["id"])
    linked = False
    try:
        await client.definitions.publish(made)
        await client.lanes.pause(made, reason=REASON)
        await client.definitions.link(made, product)
        linked = True
        yield made
    finally:
        if linked:
            await client.definitions.unlink(made, product)
        await client.definitions.delete(made, discard_waiting=True)


async def _require_free(client: Client, product: str) -> None:
    async for one in client.definitions.all():
        if product in one["linkedProducts"]:
            raise ConfigurationError(
                f"product {product} leads to {one['name']}: listen to that with --integration {one['id']}"
            )
