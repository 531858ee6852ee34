"""Integration definitions, their published revisions, and the products linked to them.

Every write compares what it read with what is there, in one script, and announces the change on
``definition_keys.DEFINITIONS_CHANNEL``. Never delivers, never opens a secret, never decides a business rule.
"""

from __future__ import annotations

import copy
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Self, cast

import orjson
from redis.asyncio import Redis

from dispatcher.errors import Conflict, NotFound, Problem, Refused, Unprocessable
from dispatcher.model.integration import Integration, Product, Revision
from dispatcher.model.product import UNDESCRIBED, ProductDetails
from dispatcher.store.audit_log.log import Noting
from dispatcher.store.definitions.due import DueStore
from dispatcher.store.definitions.indexes import changed_indexes, created, deleted
from dispatcher.store.definitions.pings import Pings
from dispatcher.store.definitions.pins import kept_numbers
from dispatcher.store.definitions.reads import DefinitionReads, IntegrationPage, Loaded, RevisionId
from dispatcher.store.definitions.records import (
    read_integration,
    read_product,
    write_integration,
    write_product,
    write_revision,
)
from dispatcher.store.documents.swap import Document, Noted, Operation, publish, swap
from dispatcher.store.keys import definitions as definition_keys
from dispatcher.store.keys import installations as installation_keys

__all__ = ["Definitions", "IntegrationPage", "Loaded", "RevisionId", "product_message"]

FIRST_APP_MARKET_ID = 34827
MAX_LINKED_PRODUCTS = 1000
"""Of one integration."""
MAX_INTEGRATIONS = 1000
"""Of one vendor."""
_TRIES = 32
"""Rounds of read, change and swap before giving up on a record that others keep changing."""

Change = Callable[[Integration], Integration]
Listener = Callable[[str], None]


def product_message(product_id: str) -> str:
    """The message that announces a changed product."""
    return f"product:{product_id}"


class Definitions(DefinitionReads):
    """Reads and writes of everything under the ``{def}`` hash tag."""

    def __init__(self, redis: Redis) -> None:
        super().__init__(redis)
        self._listeners: list[Listener] = []
        self._noting: Noting | None = None
        self.pings = Pings(redis)
        self.pings_due = DueStore(redis, definition_keys.PINGS_DUE)
        self.rotations_due = DueStore(redis, definition_keys.ROTATIONS_DUE)

    def noted(self, noting: Noting) -> Self:
        """The same store; whatever is changed through this view is written to the audit log in the same step."""
        view = copy.copy(self)
        view._noting = noting  # noqa: SLF001 - of its own kind
        return view

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` with each id that this process has tried to write; returns how to stop."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

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
        for _ in range(_TRIES):
            current = await self.needed(any_id)
            changed = change(current)
            if changed == current:
                return current
            saved = await self._try_replace(changed, current.modified_ms)
            if saved is not None:
                return saved
        raise _modified(any_id)

    async def needed(self, any_id: str) -> Integration:
        """The integration, or ``NotFound``."""
        return read_integration(await self._needed_record(any_id))

    async def link(self, product_id: str, integration_id: str, now_ms: int) -> Product:
        """Make it the product's one integration, on both sides; a former one lets go of the product."""
        for _ in range(_TRIES):
            target = read_integration(await self._needed_record(integration_id))
            linked = await self._try_relink(product_id, target.id, now_ms)
            if linked is not None:
                return linked
        raise _modified(product_id)

    async def unlink(self, product_id: str, integration_id: str, now_ms: int) -> Product | None:
        """Take the product from that integration; None when it is not linked to it."""
        owner = await self.needed(integration_id)
        for _ in range(_TRIES):
            product = await self.product(product_id)
            if product is None or product.integration_id != owner.id:
                return None
            unlinked = await self._try_relink(product_id, None, now_ms)
            if unlinked is not None:
                return unlinked
        raise _modified(product_id)

    async def describe(self, product_id: str, details: ProductDetails) -> Product:
        """Say how the product is shown; one that nobody knows becomes known, as the vendor's whose view this is."""
        for _ in range(_TRIES):
            before = await self._ask(self._redis.get(definition_keys.product(product_id))) or b""
            product = read_product(before) if before else self._new_product(product_id)
            if before:
                owner = await self._ask(self._redis.get(definition_keys.definition(product.integration_id or "")))
                self._check_reach(read_integration(owner).vendor_id if owner else product.vendor_id)
            after = replace(product, details=details)
            changed = Document(definition_keys.product(product_id), before, write_product(after, before))
            if await self._swap([changed], [], [product_message(product_id)]):
                return after
        raise _modified(product_id)

    async def delete(self, any_id: str, expected_modified_ms: int | None = None) -> None:
        """Remove the integration with its revisions; ``Conflict`` while products are linked, it is installed, or
        it is not the expected one any more.
        """
        for _ in range(_TRIES):
            before = await self._needed_record(any_id)
            integration = read_integration(before)
            if expected_modified_ms not in (None, integration.modified_ms):
                raise _modified(any_id)
            newest = await self._newest_installation(integration.id)
            if installed := await self._ask(
                self._redis.zcard(installation_keys.installations_of_integration(integration.id))
            ):
                text = f"{installed} accounts have it installed: uninstall it there, then delete it."
                raise Conflict.of("still_installed", text, "id")
            if integration.linked_products:
                raise Conflict.of("still_linked", "Unlink every product from the integration, then delete it.", "id")
            copies = await kept_numbers(self._redis, integration.id)
            numbers = [*range(1, (integration.published_revision or 0) + 1), *copies]
            pings = [
                definition_keys.ping(integration.id),
                definition_keys.ping_days(integration.id),
                definition_keys.pins(integration.id),
            ]
            dropped = [*pings, *(definition_keys.revision(integration.id, number) for number in numbers)]
            gone = Document(definition_keys.definition(integration.id), before, b"")
            unchanged = Document(installation_keys.NEWEST, newest, b"", integration.id)
            if await self._swap([gone, unchanged], deleted(integration), [integration.id], dropped):
                return
        raise _modified(any_id)

    async def _newest_installation(self, integration_id: str) -> bytes:
        """The key that every installation of it changes: read before they are counted, so that none comes unseen."""
        found = await self._ask(
            cast("Awaitable[bytes | None]", self._redis.hget(installation_keys.NEWEST, integration_id))
        )
        return bytes(found or b"")

    async def _replace(
        self, integration: Integration, expected_modified_ms: int, publishing: Revision | None = None
    ) -> Integration:
        saved = await self._try_replace(integration, expected_modified_ms, publishing)
        if saved is None:
            raise _modified(integration.id)
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

    async def _try_relink(self, product_id: str, target: str | None, now_ms: int) -> Product | None:
        """Point the product at ``target`` and adjust both sides; None when any of them changed meanwhile."""
        before = await self._ask(self._redis.get(definition_keys.product(product_id))) or b""
        product = read_product(before) if before else self._new_product(product_id)
        sides = list(dict.fromkeys(side for side in (product.integration_id, target) if side))
        records = {side: await self._ask(self._redis.get(definition_keys.definition(side))) for side in sides}
        if target is not None and not records[target]:
            return None
        vendors = {side: read_integration(record).vendor_id for side, record in records.items() if record}
        if before:
            self._check_reach(vendors.get(product.integration_id or "", product.vendor_id))
        settles = product.claimed and self._vendor_id is None and target is not None
        if before and product.integration_id == target and not settles:
            return product
        owner = vendors.get(target or product.integration_id or "", product.vendor_id)
        after = replace(product, integration_id=target, vendor_id=owner)
        if settles:
            details = product.details if owner == product.vendor_id else UNDESCRIBED
            after = replace(after, claimed=False, details=details)
        documents = [Document(definition_keys.product(product_id), before, write_product(after, before))]
        documents += [_side(record, product_id, side == target, now_ms) for side, record in records.items() if record]
        written = await self._swap(documents, [], [product_message(product_id), *sides])
        return after if written else None

    def _new_product(self, product_id: str) -> Product:
        """One that nobody knew. A vendor only claims it: the id may be another's, who comes later."""
        return Product(product_id, vendor_id=self._vendor_id, claimed=self._vendor_id is not None)

    def _check_owner(self, before: str | None, after: Integration) -> None:
        """Refuse a vendor's client that would change the vendor."""
        if self._vendor_id is not None and after.vendor_id != before:
            text = "This client is restricted to one vendor: leave vendorId out."
            raise Refused.of("vendor_restricted", text, "vendorId")

    def _check_reach(self, vendor_id: str | None) -> None:
        """Refuse a product of another vendor. It reads as absent, but its id is taken."""
        if self._vendor_id not in (None, vendor_id):
            text = "This product is not yours, or claimed already: ask the marketplace to link it, or use another id."
            raise Refused.of("product_not_yours", text, "productId")

    async def _needed_record(self, any_id: str) -> bytes:
        record = await self._stored_integration(any_id)
        if record is None:
            raise NotFound.of("not_found", f"There is no integration {any_id[:64]!r}.", "id")
        return record

    async def _swap(
        self,
        documents: Sequence[Document],
        operations: Sequence[Operation],
        changed: Sequence[str],
        dropped: Sequence[str] = (),
    ) -> bool:
        together = [
            *operations,
            *(Operation("DEL", key) for key in dropped),
            *(publish(definition_keys.DEFINITIONS_CHANNEL, message) for message in changed),
        ]
        entry = _noted(documents[0])
        try:
            return await swap(self._redis, documents, together, noting=self._noting, entries=[entry])
        finally:
            for message in changed:
                for listener in self._listeners:
                    listener(message)


def _side(record: bytes, product_id: str, linked: bool, now_ms: int) -> Document:
    """The integration's side of a link: the product is in its list once, or not at all."""
    integration = read_integration(record)
    others = tuple(one for one in integration.linked_products if one != product_id)
    if linked and len(others) >= MAX_LINKED_PRODUCTS:
        text = f"An integration may have {MAX_LINKED_PRODUCTS} products: unlink one, or use another integration."
        raise Unprocessable.of("limit_reached", text, "productId")
    after = replace(
        integration,
        linked_products=(*others, product_id) if linked else others,
        modified_ms=max(now_ms, integration.modified_ms + 1),
    )
    return Document(definition_keys.definition(integration.id), record, write_integration(after, record))


def _noted(document: Document) -> Noted:
    """An entry about the first document, which the others only follow."""
    kind = "product" if document.key.startswith(definition_keys.product("")) else "integration"
    return Noted(kind, orjson.loads(document.after or document.before)["id"], document)


def _modified(any_id: str) -> Conflict:
    return Conflict(
        [Problem("modified_meanwhile", f"{any_id[:64]} was changed by someone else: read it again, then repeat.", "id")]
    )
