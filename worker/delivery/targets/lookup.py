"""Finds the target of an event: from memory, or from the store together with all others that are missing now."""

from __future__ import annotations

import asyncio
from collections import OrderedDict

from dispatcher.model.integration import WORKING, Integration, Revision
from dispatcher.model.marketplace import marketplace_of_lane
from dispatcher.model.operational import OPERATIONS
from dispatcher.store.definitions.cache.definitions import DefinitionCache
from dispatcher.store.definitions.reads import Loaded
from dispatcher.store.definitions.records import BrokenDefinition
from worker.delivery.targets.callbacks import CallbackTargets
from worker.delivery.targets.target import Target, TargetOpener

Wanted = tuple[str, int]

CAPACITY = 20_000


class Targets:
    """Open targets by integration and revision; one is made anew when either object was replaced."""

    def __init__(self, opener: TargetOpener) -> None:
        self._opener = opener
        self._ready: OrderedDict[tuple[str, int], Target] = OrderedDict()

    def get(self, integration: Integration, revision: Revision) -> Target:
        """Raises ``SealError``, which names the integration, when a secret cannot be opened with the keys at hand."""
        key = (integration.id, revision.number)
        target = self._ready.get(key)
        if target is None or target.integration is not integration or target.revision is not revision:
            target = self._ready[key] = self._opener.open(integration, revision)
            if len(self._ready) > CAPACITY:
                self._ready.popitem(last=False)
        return target


class Lookup:
    """Events that are claimed together ask together: one round trip however many integrations are new."""

    def __init__(
        self,
        cache: DefinitionCache,
        targets: Targets,
        operations: Target | None = None,
        callbacks: CallbackTargets | None = None,
    ) -> None:
        """``operations`` and ``callbacks``: targets of lanes that no definition stands for."""
        self._callbacks = callbacks
        self._cache = cache
        self._operations = operations
        self._targets = targets
        self._wanted: set[Wanted] = set()
        self._loading: asyncio.Task[Loaded] | None = None

    def peek(self, integration_id: str, number: int) -> Target | None:
        """The target if everything it is made of is at hand."""
        integration = self._cache.peek_integration(integration_id)
        revision = self._cache.peek_revision(integration_id, number)
        if integration is None or revision is None:
            return None
        return self._targets.get(integration, revision)

    async def load(self, integration_id: str, number: int) -> Target | None:
        """The target, read from the store; None when the integration or the revision is gone.

        Of a WORKING version that is kept no longer the one that there is now.

        ``BrokenDefinition`` when it is there and cannot be read: a newer worker may read it, or somebody repairs it.
        """
        if integration_id == OPERATIONS:
            return self._operations
        marketplace_id = marketplace_of_lane(integration_id)
        if marketplace_id is not None:
            return await self._callbacks.find(marketplace_id) if self._callbacks else None
        self._wanted.add((integration_id, number))
        if self._loading is None:
            self._loading = asyncio.create_task(self._load_wanted())
        loaded = await asyncio.shield(self._loading)
        if integration_id in loaded.broken:
            raise BrokenDefinition(f"The definition of {integration_id} cannot be read: restore it from a backup.")
        integration = loaded.integrations.get(integration_id)
        revision = loaded.revisions.get((integration_id, number))
        if integration is None:
            return None
        if revision is None:
            return self._targets.get(integration, integration.working) if number < WORKING else None
        return self._targets.get(integration, revision)

    async def published(self, integration_id: str) -> Target | None:
        """The revision that is published at this moment, whatever was at hand; None when there is none."""
        self._cache.invalidate(integration_id)
        integration = await self._cache.integration(integration_id)
        number = integration.published_revision if integration else None
        return await self.load(integration_id, number) if number else None

    async def _load_wanted(self) -> Loaded:
        await asyncio.sleep(0)
        wanted, self._wanted, self._loading = self._wanted, set(), None
        return await self._cache.load(integrations={lane for lane, _ in wanted}, revisions=wanted)
