"""Mutations that create, edit, publish and delete integrations."""

from __future__ import annotations

from typing import Any

import strawberry

from dispatcher.api.graphql.context import Info
from dispatcher.api.graphql.types.conversion import document_of
from dispatcher.api.graphql.types.integration_fields import IntegrationFields
from dispatcher.api.graphql.types.objects import ProductIntegration
from dispatcher.api.graphql.types.payloads import IntegrationPayload, Payload, answered, working
from dispatcher.clock import iso_ms
from dispatcher.model.precondition import Precondition

EXPECTED: Any = strawberry.field(
    default=None, description="lastModified as it was read: refuse with modified_meanwhile if it is another by now."
)


def _unmodified(since: str | None) -> Precondition | None:
    """``lastModified`` as the caller read it."""
    if since is None:
        return None
    return lambda modified_ms: isinstance(modified_ms, int) and iso_ms(modified_ms) == since


@strawberry.input
class CreateProductIntegrationInput(IntegrationFields):
    """A new integration."""


@strawberry.input
class UpdateProductIntegrationInput(IntegrationFields):
    """Changes to the WORKING version."""

    id: strawberry.ID
    expected_last_modified: str | None = EXPECTED


@strawberry.input
class DeleteProductIntegrationInput:
    id: strawberry.ID
    expected_last_modified: str | None = EXPECTED
    discard_waiting_events: bool = strawberry.field(
        default=False, description="Also while events of it wait, which end as DEAD."
    )


@strawberry.input
class PublishProductIntegrationInput:
    integration_id: strawberry.ID
    expected_last_modified: str | None = EXPECTED


@strawberry.type
class CreateProductIntegrationPayload(IntegrationPayload):
    signing_secret: str | None = strawberry.field(
        default=None, description="Signs every notification. Shown only here: keep it."
    )
    warnings: list[str] = strawberry.field(default_factory=list)


@strawberry.type
class UpdateProductIntegrationPayload(IntegrationPayload):
    warnings: list[str] = strawberry.field(default_factory=list)


@strawberry.type
class DeleteProductIntegrationPayload(Payload):
    id: strawberry.ID | None = None


@strawberry.type
class PublishProductIntegrationPayload(IntegrationPayload):
    pass


@strawberry.type
class IntegrationMutations:
    @strawberry.mutation
    @answered(CreateProductIntegrationPayload)
    async def create_product_integration(
        self, info: Info, input_: CreateProductIntegrationInput
    ) -> CreateProductIntegrationPayload:
        """Describe how a product wants to hear of events. None of the URLs is contacted."""
        drafted = await info.context.desk.create(document_of(input_))
        return CreateProductIntegrationPayload(
            product_integration=working(drafted.integration),
            signing_secret=drafted.signing_secret,
            warnings=drafted.warnings,
        )

    @strawberry.mutation
    @answered(UpdateProductIntegrationPayload)
    async def update_product_integration(
        self, info: Info, input_: UpdateProductIntegrationInput
    ) -> UpdateProductIntegrationPayload:
        """Change the WORKING version; what is published stays as it is."""
        changes = document_of(input_)
        any_id, expected = changes.pop("id"), changes.pop("expectedLastModified")
        drafted = await info.context.desk.change(any_id, changes, _unmodified(expected))
        return UpdateProductIntegrationPayload(
            product_integration=working(drafted.integration), warnings=drafted.warnings
        )

    @strawberry.mutation
    @answered(DeleteProductIntegrationPayload)
    async def delete_product_integration(
        self, info: Info, input_: DeleteProductIntegrationInput
    ) -> DeleteProductIntegrationPayload:
        """Delete an integration that no product is linked to and of which no event waits."""
        gone = await info.context.desk.delete(
            input_.id, _unmodified(input_.expected_last_modified), discard_waiting=input_.discard_waiting_events
        )
        return DeleteProductIntegrationPayload(id=strawberry.ID(gone.id))

    @strawberry.mutation
    @answered(PublishProductIntegrationPayload, "integrationId")
    async def publish_product_integration(
        self, info: Info, input_: PublishProductIntegrationInput
    ) -> PublishProductIntegrationPayload:
        """Freeze the WORKING version; new events use it from now on."""
        done = await info.context.desk.publish(input_.integration_id, _unmodified(input_.expected_last_modified))
        shown = ProductIntegration.of(done.integration, done.revision) if done.revision else None
        return PublishProductIntegrationPayload(product_integration=shown)
