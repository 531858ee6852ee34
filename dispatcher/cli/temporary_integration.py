"""An integration for as long as a verb runs: its product's events are its alone, and go with it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from dispatcher.client import Client
from dispatcher.errors import ConfigurationError


@asynccontextmanager
async def temporary_integration(
    client: Client, product: str, name: str, urls: Mapping[str, str], *, held: str | None = None
) -> AsyncIterator[str]:
    """Its id. ``held``: why it is paused before a product leads to it, so that it sends nothing.

    Raises ConfigurationError for a product that leads to another integration already.
    """
    await _require_free(client, product)
    made = str((await client.definitions.create({"name": name, **urls}))["definition"]["id"])
    linked = False
    try:
        await client.definitions.publish(made)
        if held is not None:
            await client.lanes.pause(made, reason=held)
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
                f"product {product} leads to {one['name']}: name that with --integration {one['id']}"
            )
