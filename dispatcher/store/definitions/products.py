"""Products: how each is shown, and the one integration that it is linked to, which both sides know."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from dispatcher.errors import Refused, Unprocessable
from dispatcher.model.integration import Product
from dispatcher.model.precondition import NO_RECORD, Precondition
from dispatcher.model.product import UNDESCRIBED, ProductDetails
from dispatcher.store.definitions.records import read_integration, read_product, write_integration, write_product
from dispatcher.store.definitions.writing import TRIES, DefinitionWrites, modified
from dispatcher.store.documents.swap import Document
from dispatcher.store.keys import definitions as definition_keys

MAX_LINKED_PRODUCTS = 1000
"""Of one integration."""


def product_message(product_id: str) -> str:
    """The message that announces a changed product."""
    return f"product:{product_id}"


def product_tag(product: Product) -> str:
    """Differs between any two states of a product; what an ``ETag`` holds."""
    return hashlib.sha256(write_product(product, b"")).hexdigest()[:16]


class Products(DefinitionWrites):
    """Links between products and integrations: both sides change in one step."""

    async def link(self, product_id: str, integration_id: str, now_ms: int) -> Product:
        """Make it the product's one integration, on both sides; a former one lets go of the product."""
        for _ in range(TRIES):
            target = read_integration(await self._needed_record(integration_id))
            linked = await self._try_relink(product_id, target.id, now_ms)
            if linked is not None:
                return linked
        raise modified(product_id)

    async def unlink(self, product_id: str, integration_id: str, now_ms: int) -> Product | None:
        """Take the product from that integration; None when it is not linked to it."""
        owner = await self.needed(integration_id)
        for _ in range(TRIES):
            product = await self.product(product_id)
            if product is None or product.integration_id != owner.id:
                return None
            unlinked = await self._try_relink(product_id, None, now_ms)
            if unlinked is not None:
                return unlinked
        raise modified(product_id)

    async def describe(self, product_id: str, details: ProductDetails, expected: Precondition | None = None) -> Product:
        """Say how the product is shown; one that nobody knows becomes known, as the vendor's whose view this is.

        ``Conflict`` when its tag is not the expected one any more: ``NO_RECORD`` where nobody knows it.
        """
        for _ in range(TRIES):
            before = await self._ask(self._redis.get(definition_keys.product(product_id))) or b""
            product = read_product(before) if before else self._new_product(product_id)
            if before:
                owner = await self._ask(self._redis.get(definition_keys.definition(product.integration_id or "")))
                self._check_reach(read_integration(owner).vendor_id if owner else product.vendor_id)
            if expected is not None and not expected(product_tag(product) if before else NO_RECORD):
                raise modified(product_id)
            after = replace(product, details=details)
            changed = Document(definition_keys.product(product_id), before, write_product(after, before))
            if await self._swap([changed], [], [product_message(product_id)]):
                return after
        raise modified(product_id)

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

    def _check_reach(self, vendor_id: str | None) -> None:
        """Refuse a product of another vendor. It reads as absent, but its id is taken."""
        if self._vendor_id not in (None, vendor_id):
            text = "This product is not yours, or claimed already: ask the marketplace to link it, or use another id."
            raise Refused.of("product_not_yours", text, "productId")


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
