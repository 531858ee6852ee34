"""Work in the background that somebody asked for: ping tests, and credentials that are tried out.

A host that is silent holds such work up for minutes, so each vendor has a share of what runs at a time. What finds no
place waits, until its own deadline; it is in a queue of arq's of its own, which holds up no partition.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from dispatcher.store.definitions.editing import Definitions
from worker.http.ration import Ration, on_behalf_of

AT_ONCE = 64


class Errands:
    """One per worker process."""

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions
        self._places = Ration(AT_ONCE, "place for a test")

    @asynccontextmanager
    async def place(self, integration_id: str, tenant: str = "") -> AsyncIterator[None]:
        """Wait for a place, and work in the name of the integration's tenant while this is entered."""
        tenant = tenant or await self._tenant(integration_id)
        await self._places.take(tenant)
        try:
            with on_behalf_of(tenant):
                yield
        finally:
            self._places.give_back(tenant)

    async def _tenant(self, integration_id: str) -> str:
        integration = await self._definitions.integration(integration_id)
        return integration.tenant if integration else integration_id
