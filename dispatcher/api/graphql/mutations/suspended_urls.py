"""Mutations about URLs that answered 410 Gone."""

from __future__ import annotations

import strawberry

from dispatcher.api.graphql.context import Info
from dispatcher.api.graphql.types.objects import ProductIntegration
from dispatcher.api.graphql.types.payloads import IntegrationPayload, answered
from dispatcher.flow.events.acting.suspended_urls import enable_url
from dispatcher.model.event_type import EventType


@strawberry.input
class EnableProductIntegrationSuspendedUrlInput:
    id: strawberry.ID
    event_type: EventType


@strawberry.type
class EnableProductIntegrationSuspendedUrlPayload(IntegrationPayload):
    released: int | None = strawberry.field(default=None, description="Parked events that go on.")
    was_suspended: bool | None = strawberry.field(
        default=None, description="False: nothing was suspended, and nothing has changed."
    )


@strawberry.type
class SuspensionMutations:
    @strawberry.mutation
    @answered(EnableProductIntegrationSuspendedUrlPayload)
    async def enable_product_integration_suspended_url(
        self, info: Info, input_: EnableProductIntegrationSuspendedUrlInput
    ) -> EnableProductIntegrationSuspendedUrlPayload:
        """Send to a type's published URL again, and what is parked for one that is published no more."""
        context = info.context
        integration = await context.definitions.needed(input_.id)
        async with context.noted(integration.id):
            queue = context.services.queue
            enabled = await enable_url(integration, input_.event_type, context.definitions, queue)
        return EnableProductIntegrationSuspendedUrlPayload(
            product_integration=ProductIntegration.of(integration, integration.working),
            released=enabled.released,
            was_suspended=enabled.was_suspended,
        )
