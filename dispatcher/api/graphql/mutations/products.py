"""Mutations about products: how they are shown, and which integration their events go to."""

from __future__ import annotations

import strawberry

from dispatcher.api.graphql.context import Info
from dispatcher.api.graphql.types.objects import Product
from dispatcher.api.graphql.types.payloads import IntegrationPayload, Payload, answered, working
from dispatcher.flow.integrations.products.describe import describe_product
from dispatcher.model.product import Edition, ProductDetails


@strawberry.input
class EditionInput:
    code: str
    name: str
    description: str | None = None


@strawberry.input
class LinkProductIntegrationInput:
    product_id: strawberry.ID
    integration_id: strawberry.ID


@strawberry.input
class UnlinkProductIntegrationInput:
    product_id: strawberry.ID
    integration_id: strawberry.ID


@strawberry.input
class UpdateProductInput:
    """Everything that is left out is gone."""

    id: strawberry.ID
    name: str | None = None
    description: str | None = None
    logo: str | None = None
    support_url: str | None = None
    terms_url: str | None = None
    editions: list[EditionInput] = strawberry.field(default_factory=list)


@strawberry.type
class LinkProductIntegrationPayload(IntegrationPayload):
    product: Product | None = None
    former_integration_id: strawberry.ID | None = strawberry.field(
        default=None, description="The integration that the product was taken from."
    )
    warnings: list[str] = strawberry.field(default_factory=list)


@strawberry.type
class UnlinkProductIntegrationPayload(IntegrationPayload):
    product: Product | None = None


@strawberry.type
class UpdateProductPayload(Payload):
    product: Product | None = None


@strawberry.type
class ProductMutations:
    @strawberry.mutation
    @answered(LinkProductIntegrationPayload, "integrationId")
    async def link_product_integration(
        self, info: Info, input_: LinkProductIntegrationInput
    ) -> LinkProductIntegrationPayload:
        """Send a product's events to this integration from now on."""
        linked = await info.context.desk.link(input_.product_id, input_.integration_id)
        return LinkProductIntegrationPayload(
            product=Product.of(linked.product),
            product_integration=working(linked.integration),
            former_integration_id=strawberry.ID(linked.former) if linked.former else None,
            warnings=linked.warnings,
        )

    @strawberry.mutation
    @answered(UnlinkProductIntegrationPayload, "integrationId")
    async def unlink_product_integration(
        self, info: Info, input_: UnlinkProductIntegrationInput
    ) -> UnlinkProductIntegrationPayload:
        """Send no more of the product's events to this integration."""
        done = await info.context.desk.unlink(input_.product_id, input_.integration_id)
        return UnlinkProductIntegrationPayload(
            product=Product.of(done.product), product_integration=working(done.integration)
        )

    @strawberry.mutation
    @answered(UpdateProductPayload, "id")
    async def update_product(self, info: Info, input_: UpdateProductInput) -> UpdateProductPayload:
        """Say how the product is shown to customers."""
        editions = tuple(Edition(one.code, one.name, one.description) for one in input_.editions)
        shown = (input_.name, input_.description, input_.logo, input_.support_url, input_.terms_url)
        details = ProductDetails(*shown, editions)
        product = await describe_product(info.context.definitions, input_.id, details)
        return UpdateProductPayload(product=Product.of(product))
