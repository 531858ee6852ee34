"""Integration definitions and their published revisions. Never delivers, never opens a secret, never decides a rule.

Every write compares what it read with what is there, in one script, and announces the change (``writing``).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import cast

from redis.asyncio import Redis

from dispatcher.errors import Conflict, Refused, Unprocessable
from dispatcher.model.integration import Integration, Revision
from dispatcher.store.definitions.indexes import changed_indexes, created, deleted
from dispatcher.store.definitions.pings.history import Pings
from dispatcher.store.definitions.pins import kept_numbers
from dispatcher.store.definitions.products import Products
from dispatcher.store.definitions.records import read_integration, write_integration, write_revision
from dispatcher.store.definitions.schedule.due import DueStore
from dispatcher.store.definitions.schedule.glance import Glance
from dispatcher.store.definitions.writing import TRIES, modified
from dispatcher.store.documents.swap import Document, Operation
from dispatcher.store.keys import definitions as definition_keys
from dispatcher.store.keys import installations as installation_keys

FIRST_APP_MARKET_ID = 34827
MAX_INTEGRATIONS = 1000
"""Of one vendor."""

Change = Callable[[Integration], Integration]


class Definitions(Products):
    """Reads and writes of everything under the ``{def}`` hash tag."""

    def __init__(self, redis: Redis, glance: Glance | None = None) -> None:
        """``glance``: as of ``DueStore``."""
        super().__init__(redis)
        self.pings = Pings(redis)
        self.pings_due = DueStore(redis, definition_keys.PINGS_DUE, glance=glance)
        self.rotations_due = DueStore(redis, definition_keys.ROTATIONS_DUE, glance=glance)

    async def create(self, integration: Integration) -> Integration:
        """Store a new integration under the next appMarketId, which is set in what is returned.

        In a vendor's view it is that vendor's, unless this one has ``MAX_INTEGRATIONS``.
        """
        if self._vendor_id is not None and integration.vendor_id is None:
            integration = replace(integration, vendor_id=self._vendor_id)
        self._check_owner(self._vendor_id, integration)
        if integration.vendor_id and len(await self.ids_of_vendor(integration.vendor_id)) >= MAX_INTEGRATIONS:
            text = f"A vendor may have {MAX_INTEGRATIONS} integrations: delete those that are not needed."
            raise Unprocessable.of("limit_reached", text)
        await self._ask(self._redis.set(definition_keys.DEF_COUNTER, FIRST_APP_MARKET_ID - 1, nx=True))
        new = replace(integration, app_market_id=int(await self._ask(self._redis.incr(definition_keys.DEF_COUNTER))))
        document = Document(definition_keys.definition(new.id), b"", write_integration(new))
        if not await self._swap([document], created(new), [new.id]):
            raise Conflict.of("already_exists", f"An integration with the id {new.id} exists already.", "id")
        return new

    async def save(self, integration: Integration, expected_modified_ms: int) -> Integration:
        """Replace the record that was read at ``expected_modified_ms``; ``Conflict`` when it changed meanwhile.

        ``modified_ms`` of what is returned always moved on, so that no two states share one.
        """
        return await self._replace(integration, expected_modified_ms)

    async def publish(self, integration: Integration, expected_modified_ms: int, revision: Revision) -> Integration:
        """As ``save``; writes ``revision`` and the pointer to it in the same step."""
        published = replace(integration, published_revision=revision.number)
        return await self._replace(published, expected_modified_ms, revision)

    async def edit(self, any_id: str, change: Change) -> Integration:
        """Apply ``change`` to the newest state, again if another writer was faster; no change is no write.

        Raises ``NotFound``.
        """
        for _ in range(TRIES):
            current = await self.needed(any_id)
            changed = change(current)
            if changed == current:
                return current
            saved = await self._try_replace(changed, current.modified_ms)
            if saved is not None:
                return saved
        raise modified(any_id)

    async def delete(self, any_id: str, expected_modified_ms: int | None = None) -> None:
        """Remove the integration with its revisions; ``Conflict`` while products are linked, it is installed, or
        it is not the expected one any more.
        """
        for _ in range(TRIES):
            before = await self._needed_record(any_id)
            integration = read_integration(before)
            if expected_modified_ms not in (None, integration.modified_ms):
                raise modified(any_id)
            newest = await self._newest_installation(integration.id)
            users = installation_keys.installations_of_integration(integration.id)
            if installed := await self._ask(self._redis.zcard(users)):
                text = f"{installed} accounts have it installed: uninstall it there, then delete it."
                raise Conflict.of("still_installed", text, "id")
            if integration.linked_products:
                raise Conflict.of("still_linked", "Unlink every product from the integration, then delete it.", "id")
            copies = await kept_numbers(self._redis, integration.id)
            numbers = [*range(1, (integration.published_revision or 0) + 1), *copies]
            beside = (definition_keys.ping, definition_keys.ping_days, definition_keys.pins)
            dropped = [key(integration.id) for key in beside]
            dropped += [definition_keys.revision(integration.id, number) for number in numbers]
            gone = Document(definition_keys.definition(integration.id), before, b"")
            unchanged = Document(installation_keys.NEWEST, newest, b"", integration.id)
            if await self._swap([gone, unchanged], deleted(integration), [integration.id], dropped):
                return
        raise modified(any_id)

    async def _newest_installation(self, integration_id: str) -> bytes:
        """The key that every installation of it changes: read before they are counted, so that none comes unseen."""
        asked = self._redis.hget(installation_keys.NEWEST, integration_id)
        found = await self._ask(cast("Awaitable[bytes | None]", asked))
        return bytes(found or b"")

    async def _replace(
        self, integration: Integration, expected_modified_ms: int, publishing: Revision | None = None
    ) -> Integration:
        saved = await self._try_replace(integration, expected_modified_ms, publishing)
        if saved is None:
            raise modified(integration.id)
        return saved

    async def _try_replace(
        self, integration: Integration, expected_modified_ms: int, publishing: Revision | None = None
    ) -> Integration | None:
        before = await self._needed_record(integration.id)
        stored = read_integration(before)
        if stored.modified_ms != expected_modified_ms:
            return None
        moved_on = max(integration.modified_ms, expected_modified_ms + 1)
        self._check_owner(stored.vendor_id, integration)
        after = replace(integration, modified_ms=moved_on)
        documents = [Document(definition_keys.definition(after.id), before, write_integration(after, before))]
        if publishing is not None:
            documents.append(
                Document(definition_keys.revision(after.id, publishing.number), b"", write_revision(publishing, before))
            )
        operations = changed_indexes(stored, after)
        if publishing is not None and stored.published_revision is not None:
            operations.append(Operation("ZADD", installation_keys.UPGRADES, (0, after.id)))
        written = await self._swap(documents, operations, [after.id])
        return after if written else None

    def _check_owner(self, before: str | None, after: Integration) -> None:
        """Refuse a vendor's client that would change the vendor."""
        if self._vendor_id is not None and after.vendor_id != before:
            text = "This client is bound to one vendor: leave vendorId out."
            raise Refused.of("vendor_restricted", text, "vendorId")
