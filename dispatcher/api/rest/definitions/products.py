"""Products for publishers: how each is shown to customers."""

from __future__ import annotations

from typing import Annotated, Any

from aiohttp import hdrs, web
from pydantic import Field, WithJsonSchema

from dispatcher.api.auditing import noting
from dispatcher.api.http.request.body import JSON, read_body, require_media
from dispatcher.api.http.request.validation import validated
from dispatcher.api.http.response.preconditions import expected
from dispatcher.api.http.response.respond import json_response
from dispatcher.api.http.route import CALLER, Route
from dispatcher.api.rest.models import LOGO_FORM, URL_FORM, Name, Wire
from dispatcher.api.services import SERVICES
from dispatcher.errors import NotFound
from dispatcher.flow.integrations.products.describe import describe_product
from dispatcher.model.access import Scope
from dispatcher.model.integration import Product
from dispatcher.model.product import Edition, ProductDetails
from dispatcher.policy.strict_json import read_object
from dispatcher.store.definitions.products import product_tag


class EditionIn(Wire):
    """A plan; ``code`` travels with an order."""

    code: Name
    name: Name
    description: str | None = None


PageUrl = Annotated[str, WithJsonSchema({"type": "string", "maxLength": 2048, "pattern": URL_FORM})]
ProductLogo = Annotated[str, WithJsonSchema({"type": "string", "pattern": f"{LOGO_FORM}|{URL_FORM}"})]
"""Checked where products are, whose messages say more."""


class ProductIn(Wire):
    """PUT replaces all of it. A ``logo`` is a data: image or a path; for any other address a letter is shown."""

    name: Name | None = None
    description: str | None = None
    logo: ProductLogo | None = None
    support_url: PageUrl | None = None
    terms_url: PageUrl | None = None
    editions: Annotated[list[EditionIn], Field(max_length=50, default_factory=list)]


class ProductOut(Wire):
    id: str
    integration_id: str | None
    name: str | None
    description: str | None
    logo: str | None
    support_url: str | None
    terms_url: str | None
    editions: list[EditionIn]
    vendor_id: str | None
    claimed: bool


async def get_product(request: web.Request) -> web.StreamResponse:
    """With an ``ETag``, which ``If-Match`` of a change may name."""
    product_id = request.match_info["productId"]
    definitions = request.app[SERVICES].definitions.of_vendor(request[CALLER].vendor_id)
    product = await definitions.product(product_id)
    if product is None:
        raise NotFound.of("not_found", "There is no such product; link it, or say how it is shown.", "productId")
    return json_response(product_json(product), headers=_tagged(product))


async def replace_product(request: web.Request) -> web.StreamResponse:
    """Everything that is left out is gone. A product that nobody knew becomes known."""
    require_media(request, JSON)
    asked = validated(ProductIn, read_object(await read_body(request)))
    definitions = request.app[SERVICES].definitions.of_vendor(request[CALLER].vendor_id)
    noted = definitions.noted(noting(request, "describeProduct"))
    with expected(request) as condition:
        product = await describe_product(noted, request.match_info["productId"], _details(asked), condition)
    return json_response(product_json(product), headers=_tagged(product))


def _tagged(product: Product) -> dict[str, str]:
    return {hdrs.ETAG: f'"{product_tag(product)}"'}


def product_json(product: Product) -> dict[str, Any]:
    details = product.details
    return {
        "id": product.id,
        "integrationId": product.integration_id,
        "name": details.name,
        "description": details.description,
        "logo": details.logo,
        "supportUrl": details.support_url,
        "termsUrl": details.terms_url,
        "editions": [{"code": one.code, "name": one.name, "description": one.description} for one in details.editions],
        "vendorId": product.vendor_id,
        "claimed": product.claimed,
    }


def _details(asked: ProductIn) -> ProductDetails:
    editions = tuple(Edition(one.code, one.name, one.description) for one in asked.editions)
    return ProductDetails(asked.name, asked.description, asked.logo, asked.support_url, asked.terms_url, editions)


_READ = (Scope.INTEGRATIONS_READ, Scope.INTEGRATIONS_WRITE)
_WRITE = (Scope.INTEGRATIONS_WRITE,)
_ONE, _TAG = "/v1/products/{productId}", "marketplaces"

ROUTES: tuple[Route, ...] = (
    Route("GET", _ONE, get_product, _READ, "Look at a product", None, {200: ProductOut}, _TAG, vendors=True),
    Route(
        "PUT",
        _ONE,
        replace_product,
        _WRITE,
        "Describe it",
        ProductIn,
        {200: ProductOut},
        _TAG,
        vendors=True,
        changes=True,
    ),
)
