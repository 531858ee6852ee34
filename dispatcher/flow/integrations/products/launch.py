"""The address that opens a product. Goes by what is published, and contacts nothing."""

from __future__ import annotations

from dispatcher.errors import Conflict, NotFound
from dispatcher.model.integration import Revision
from dispatcher.policy.addresses.launch_urls import launch_url
from dispatcher.store.definitions.cache.definitions import DefinitionCache


async def where_to_open(cache: DefinitionCache, product_id: str) -> str:
    """An absolute http or https URL.

    Raises ``NotFound`` when the product is not linked or has no sign-on, ``Conflict`` when its URL is none.
    """
    return sign_on_url(await _published(cache, product_id))


def sign_on_url(revision: Revision) -> str:
    """The same of one revision."""
    field, configured = _sign_on(revision)
    found = launch_url(configured)
    if found is None:
        text = f"The {field} of this product is not an absolute http or https URL: correct it, and publish it."
        raise Conflict.of("invalid_url", text, field)
    return found


async def _published(cache: DefinitionCache, product_id: str) -> Revision:
    product = await cache.product(product_id)
    linked = product.linked_for(None) if product else None
    integration = await cache.integration(linked) if linked else None
    number = integration.published_revision if integration else None
    revision = await cache.revision(integration.id, number) if integration and number else None
    if revision is None:
        raise NotFound.of("not_found", "This product is not linked to an integration.", "productId")
    return revision


def _sign_on(revision: Revision) -> tuple[str, str]:
    """The field that says where users begin, and what it holds."""
    if revision.open_id_connect and revision.open_id_connect.initiate_login_url:
        return "initiateLoginUrl", revision.open_id_connect.initiate_login_url
    if revision.bookmark:
        return "landingUrl", revision.bookmark.landing_url
    text = "This product has neither an initiateLoginUrl nor a bookmark: configure one, and publish it."
    raise NotFound.of("not_configured", text, "productId")
