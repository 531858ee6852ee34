"""Mutations that create, edit, publish, link and delete integrations."""

from __future__ import annotations

import strawberry

from dispatcher.api.graphql.context import Info
from dispatcher.api.graphql.types import inputs, payloads
from dispatcher.api.graphql.types.conversion import document_of
from dispatcher.api.graphql.types.objects import Product, ProductIntegration
from dispatcher.api.graphql.types.payloads import answered
from dispatcher.clock import iso_ms
from dispatcher.flow.integrations.products.describe import describe_product
from dispatcher.model.integration import Integration
from dispatcher.model.precondition import Precondition
from dispatcher.model.product import Edition, ProductDetails


def _unmodified(since: str | None) -> Precondition | None:
    """``lastModified`` as the caller read it."""
    if since is None:
        return None
    return lambda modified_ms: isinstance(modified_ms, int) and iso_ms(modified_ms) == since


def working(integration: Integration) -> ProductIntegration:
    return ProductIntegration.of(integration, integration.working)


@strawberry.type
class DefinitionMutations:
    @strawberry.mutation
    @answered(payloads.CreateProductIntegrationPayload)
    async def create_product_integration(
        self, info: Info, input_: inputs.CreateProductIntegrationInput
    ) -> payloads.CreateProductIntegrationPayload:
        """Describe how a product wants to hear of events. None of the URLs is contacted."""
        drafted = await info.context.desk.create(document_of(input_))
        return payloads.CreateProductIntegrationPayload(
            product_integration=working(drafted.integration),
            signing_secret=drafted.signing_secret,
            warnings=drafted.warnings,
        )

    @strawberry.mutation
    @answered(payloads.UpdateProductIntegrationPayload)
    async def update_product_integration(
        self, info: Info, input_: inputs.UpdateProductIntegrationInput
    ) -> payloads.UpdateProductIntegrationPayload:
        """Change the WORKING version; what is published stays as it is."""
        changes = document_of(input_)
        any_id, expected = changes.pop("id"), changes.pop("expectedLastModified")
        drafted = await info.context.desk.change(any_id, changes, _unmodified(expected))
        return payloads.UpdateProductIntegrationPayload(
            product_integration=working(drafted.integration), warnings=drafted.warnings
        )

    @strawberry.mutation
    @answered(payloads.DeleteProductIntegrationPayload)
    async def delete_product_integration(
        self, info: Info, input_: inputs.DeleteProductIntegrationInput
    ) -> payloads.DeleteProductIntegrationPayload:
        """Delete an integration that no product is linked to and of which no event waits."""
        gone = await info.context.desk.delete(
            input_.id, _unmodified(input_.expected_last_modified), discard_waiting=input_.discard_waiting_events
        )
        return payloads.DeleteProductIntegrationPayload(id=strawberry.ID(gone.id))

    @strawberry.mutation
    @answered(payloads.PublishProductIntegrationPayload, "integrationId")
    async def publish_product_integration(
        self, info: Info, input_: inputs.PublishProductIntegrationInput
    ) -> payloads.PublishProductIntegrationPayload:
        """Freeze the WORKING version; new events use it from now on."""
        done = await info.context.desk.publish(input_.integration_id, _unmodified(input_.expected_last_modified))
        shown = ProductIntegration.of(done.integration, done.revision) if done.revision else None
        return payloads.PublishProductIntegrationPayload(product_integration=shown)

    @strawberry.mutation
    @answered(payloads.LinkProductIntegrationPayload, "integrationId")
    async def link_product_integration(
        self, info: Info, input_: inputs.LinkProductIntegrationInput
    ) -> payloads.LinkProductIntegrationPayload:
        """Send a product's events to this integration from now on."""
        linked = await info.context.desk.link(input_.product_id, input_.integration_id)
        return payloads.LinkProductIntegrationPayload(
            product=Product.of(linked.product),
            product_integration=working(linked.integration),
            former_integration_id=strawberry.ID(linked.former) if linked.former else None,
            warnings=linked.warnings,
        )

    @strawberry.mutation
    @answered(payloads.UpdateProductPayload, "id")
    async def update_product(self, info: Info, input_: inputs.UpdateProductInput) -> payloads.UpdateProductPayload:
        """Say how the product is shown to customers."""
        editions = tuple(Edition(one.code, one.name, one.description) for one in input_.editions)
        shown = (input_.name, input_.description, input_.logo, input_.support_url, input_.terms_url)
        details = ProductDetails(*shown, editions)
        product = await describe_product(info.context.definitions, input_.id, details)
        return payloads.UpdateProductPayload(product=Product.of(product))

    @strawberry.mutation
    @answered(payloads.UnlinkProductIntegrationPayload, "integrationId")
    async def unlink_product_integration(
        self, info: Info, input_: inputs.UnlinkProductIntegrationInput
    ) -> payloads.UnlinkProductIntegrationPayload:
        """Send no more of the product's events to this integration."""
        done = await info.context.desk.unlink(input_.product_id, input_.integration_id)
        return payloads.UnlinkProductIntegrationPayload(
            product=Product.of(done.product), product_integration=working(done.integration)
        )
