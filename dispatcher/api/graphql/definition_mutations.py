"""Mutations that create, edit, publish, link and delete integrations."""

from __future__ import annotations

import strawberry

from dispatcher.api.graphql import inputs, payloads
from dispatcher.api.graphql.context import Info
from dispatcher.api.graphql.conversion import document_of
from dispatcher.api.graphql.objects import Product, ProductIntegration
from dispatcher.api.graphql.payloads import answered
from dispatcher.flow.integrations.create import create_integration
from dispatcher.flow.integrations.describe_product import describe_product
from dispatcher.flow.integrations.fields.records import Affects
from dispatcher.flow.integrations.fields.table import affected
from dispatcher.flow.integrations.link import CLAIMED, link, moved_from, unlink
from dispatcher.flow.integrations.publish import publish
from dispatcher.flow.integrations.transport_rules import transport_warnings
from dispatcher.flow.integrations.update import delete_integration, update_integration
from dispatcher.flow.pings.schedule import plan_probes
from dispatcher.model.integration import Integration
from dispatcher.model.operational import OperationalKind
from dispatcher.model.product import Edition, ProductDetails


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
        context = info.context
        created = await create_integration(context.definitions, context.editor, document_of(input_), context.now_ms)
        await plan_probes(context.definitions, created.integration)
        return payloads.CreateProductIntegrationPayload(
            product_integration=working(created.integration),
            signing_secret=created.signing_secret,
            warnings=transport_warnings(created.integration.working, context.now_ms),
        )

    @strawberry.mutation
    @answered(payloads.UpdateProductIntegrationPayload)
    async def update_product_integration(
        self, info: Info, input_: inputs.UpdateProductIntegrationInput
    ) -> payloads.UpdateProductIntegrationPayload:
        """Change the WORKING version; what is published stays as it is."""
        context = info.context
        changes = document_of(input_)
        any_id, expected = changes.pop("id"), changes.pop("expectedLastModified")
        changed = await update_integration(
            context.definitions, context.editor, any_id, changes, context.now_ms, expected
        )
        if Affects.PINGS in affected(changes):
            await plan_probes(context.definitions, changed)
        warnings = transport_warnings(changed.working, context.now_ms)
        return payloads.UpdateProductIntegrationPayload(product_integration=working(changed), warnings=warnings)

    @strawberry.mutation
    @answered(payloads.DeleteProductIntegrationPayload)
    async def delete_product_integration(
        self, info: Info, input_: inputs.DeleteProductIntegrationInput
    ) -> payloads.DeleteProductIntegrationPayload:
        """Delete an integration that no product is linked to."""
        gone = await delete_integration(info.context.definitions, input_.id, input_.expected_last_modified)
        return payloads.DeleteProductIntegrationPayload(id=strawberry.ID(gone.id))

    @strawberry.mutation
    @answered(payloads.PublishProductIntegrationPayload, "integrationId")
    async def publish_product_integration(
        self, info: Info, input_: inputs.PublishProductIntegrationInput
    ) -> payloads.PublishProductIntegrationPayload:
        """Freeze the WORKING version; new events use it from now on."""
        context = info.context
        done = await publish(
            context.definitions,
            input_.integration_id,
            context.caller.client_id,
            context.now_ms,
            input_.expected_last_modified,
        )
        context.notify(OperationalKind.INTEGRATION_PUBLISHED, done.id, revision=done.published_revision)
        revision = await context.definitions.revision(done.id, done.published_revision or 0)
        return payloads.PublishProductIntegrationPayload(
            product_integration=ProductIntegration.of(done, revision) if revision else None
        )

    @strawberry.mutation
    @answered(payloads.LinkProductIntegrationPayload, "integrationId")
    async def link_product_integration(
        self, info: Info, input_: inputs.LinkProductIntegrationInput
    ) -> payloads.LinkProductIntegrationPayload:
        """Send a product's events to this integration from now on."""
        context = info.context
        before = await context.definitions.product(input_.product_id)
        product = await link(context.definitions, input_.product_id, input_.integration_id, context.now_ms)
        owner = await context.definitions.needed(input_.integration_id)
        former = moved_from(before, product)
        context.notify(OperationalKind.PRODUCT_LINKED, owner.id, productId=product.id, formerIntegrationId=former)
        warnings = [f"The product was linked to {former}, which hears of its events no more."] if former else []
        return payloads.LinkProductIntegrationPayload(
            product=Product.of(product),
            product_integration=working(owner),
            former_integration_id=strawberry.ID(former) if former else None,
            warnings=[*warnings, *([CLAIMED] if product.claimed else [])],
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
        context = info.context
        product = await unlink(context.definitions, input_.product_id, input_.integration_id, context.now_ms)
        owner = await context.definitions.needed(input_.integration_id)
        context.notify(OperationalKind.PRODUCT_UNLINKED, owner.id, productId=product.id)
        return payloads.UnlinkProductIntegrationPayload(product=Product.of(product), product_integration=working(owner))
