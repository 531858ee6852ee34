"""Says how a product is shown to customers. Loads none of its addresses."""

from __future__ import annotations

from collections.abc import Iterator

from dispatcher.errors import Problem, Unprocessable
from dispatcher.model.integration import Product
from dispatcher.model.precondition import Precondition
from dispatcher.model.product import Edition, ProductDetails
from dispatcher.policy.addresses.launch_urls import launch_url
from dispatcher.policy.installing.brand import image_refusal
from dispatcher.policy.texts import name_problems, too_long
from dispatcher.store.definitions.editing import Definitions

MAX_DESCRIPTION_CHARS = 4000
MAX_URL_CHARS = 2048
MAX_EDITIONS = 50


async def describe_product(
    definitions: Definitions, product_id: str, details: ProductDetails, expected: Precondition | None = None
) -> Product:
    """The product, which need not be known. ``Unprocessable`` with everything that is wrong; ``Refused``;
    ``Conflict`` when it is not the expected one any more.
    """
    problems = [*name_problems(product_id, "id"), *details_problems(details)]
    if problems:
        raise Unprocessable(problems)
    return await definitions.describe(product_id, details, expected)


def details_problems(details: ProductDetails) -> Iterator[Problem]:
    """Everything wrong with them, field by field."""
    if details.name is not None:
        yield from name_problems(details.name, "name")
    if len(details.description or "") > MAX_DESCRIPTION_CHARS:
        yield too_long("description", MAX_DESCRIPTION_CHARS)
    if details.logo is not None and (why := image_refusal(details.logo, remote=True)):
        yield Problem("invalid_value", why, "logo")
    for field, url in (("supportUrl", details.support_url), ("termsUrl", details.terms_url)):
        if url is not None and (len(url) > MAX_URL_CHARS or launch_url(url) is None):
            yield Problem("invalid_value", "Give an absolute http or https URL.", field)
    yield from _edition_problems(details.editions)


def _edition_problems(editions: tuple[Edition, ...]) -> Iterator[Problem]:
    if len(editions) > MAX_EDITIONS:
        yield Problem("limit_reached", f"At most {MAX_EDITIONS}.", "editions")
    codes = [one.code for one in editions]
    for at, edition in enumerate(editions):
        yield from name_problems(edition.code, f"editions.{at}.code")
        yield from name_problems(edition.name, f"editions.{at}.name")
        if edition.code in codes[:at]:
            yield Problem("duplicate_value", "Give each code once.", f"editions.{at}.code")
        if len(edition.description or "") > MAX_DESCRIPTION_CHARS:
            yield too_long(f"editions.{at}.description", MAX_DESCRIPTION_CHARS)
