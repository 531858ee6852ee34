"""Says which integration hears of a product's events. A product has at most one integration."""

from __future__ import annotations

from dispatcher.errors import Conflict, Unprocessable
from dispatcher.model.integration import Product
from dispatcher.policy.texts import name_problems
from dispatcher.store.definitions.editing import Definitions

CLAIMED = "The product is claimed: until the marketplace has linked it too, only what your own clients emit goes here."


async def link(definitions: Definitions, product_id: str, any_id: str, now_ms: int) -> Product:
    """Link the product, which need not be known, and take it from the integration that had it.

    Raises ``NotFound``, ``Unprocessable`` for an odd product id, and ``Conflict`` before the first publish.
    """
    if problems := list(name_problems(product_id, "productId")):
        raise Unprocessable(problems)
    integration = await definitions.needed(any_id)
    if not integration.published_revision:
        raise Conflict.of("not_published", "Publish the integration before you link a product to it.", "integrationId")
    return await definitions.link(product_id, integration.id, now_ms)


def moved_from(before: Product | None, after: Product) -> str | None:
    """The integration that the product was taken from, if any: it hears of the product's events no more."""
    former = before.integration_id if before else None
    return former if former != after.integration_id else None


async def unlink(definitions: Definitions, product_id: str, any_id: str, now_ms: int) -> Product:
    """Take the product from the integration. ``Conflict`` when it is not linked to that one."""
    product = await definitions.unlink(product_id, any_id, now_ms)
    if product is None:
        raise Conflict.of("not_linked", "The product is not linked to this integration.", "productId")
    return product
