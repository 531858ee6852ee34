"""Products of a marketplace, and the integration that each is linked to. Never changes anything."""

from __future__ import annotations

from dataclasses import dataclass

from dispatcher.model.integration import Integration, Product, Revision
from dispatcher.model.marketplace import Marketplace
from dispatcher.store.definitions.cache.definitions import DefinitionCache


@dataclass(frozen=True, slots=True)
class ShownProduct:
    """``integration`` None = nothing is installed for it; ``revision`` None = nothing is published."""

    product: Product
    integration: Integration | None
    revision: Revision | None

    @property
    def id(self) -> str:
        return self.product.id

    @property
    def name(self) -> str:
        """As customers know it."""
        return self.product.details.name or (self.integration.name if self.integration else self.product.id)


async def shown_products(cache: DefinitionCache, marketplace: Marketplace) -> list[ShownProduct]:
    """In the marketplace's order. What its owner does not reach is left out."""
    ids = marketplace.product_ids
    known = (await cache.load(products=ids)).products
    products = {name: one for name, one in known.items() if one.reaches(marketplace.vendor_id)}
    linked = {one.integration_id for one in products.values() if one.integration_id}
    integrations = (await cache.load(integrations=linked)).integrations
    numbers = [(one.id, one.published_revision) for one in integrations.values() if one.published_revision]
    revisions = (await cache.load(revisions=numbers)).revisions
    shown = []
    for product_id in ids:
        product = products.get(product_id) or Product(product_id)
        integration = integrations.get(product.integration_id or "")
        owner = integration.vendor_id if integration else product.vendor_id
        if marketplace.vendor_id not in (None, owner):
            continue
        number = integration.published_revision if integration else None
        revision = revisions.get((integration.id, number)) if integration and number else None
        shown.append(ShownProduct(product, integration, revision))
    return shown
