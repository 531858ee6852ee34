"""Mutations that try an integration out. What they send is sent by workers, never by the API."""

from __future__ import annotations

import contextlib

import strawberry
from strawberry.types.unset import UNSET

from dispatcher.api.graphql.context import Info
from dispatcher.api.graphql.types.conversion import document_of
from dispatcher.api.graphql.types.integration_fields import OutboundCredentialsInput, TransportInput
from dispatcher.api.graphql.types.objects import ProductIntegration
from dispatcher.api.graphql.types.payloads import IntegrationPayload, Payload, answered
from dispatcher.api.graphql.types.ping_outputs import IntegrationTest
from dispatcher.flow.pings.credentials import try_credentials
from dispatcher.flow.pings.request import PingOptions, request_ping
from dispatcher.model.event_type import EventType
from dispatcher.model.ping import PingVersion


@strawberry.input
class TriggerProductIntegrationPingTestInput:
    id: strawberry.ID
    version: PingVersion = PingVersion.WORKING
    event_types: list[EventType] | None = None
    security_checks: bool = strawberry.field(
        default=False, description="Also send what the host has to refuse: a forgery, a replay …"
    )


@strawberry.input
class TestProductIntegrationCredentialsInput:
    """Credentials that need not be saved. With an id, whatever is left out is taken from what is saved there."""

    outbound_credentials: OutboundCredentialsInput
    id: strawberry.ID | None = None
    transport: TransportInput | None = UNSET


@strawberry.type
class TriggerProductIntegrationPingTestPayload(IntegrationPayload):
    test: IntegrationTest | None = strawberry.field(default=None, description="Still running; ask for it by its id.")


@strawberry.type
class TestProductIntegrationCredentialsPayload(Payload):
    """``success`` null: nothing was tried, because of ``userErrors``."""

    success: bool | None = None
    error_code: str | None = None
    message: str | None = None
    duration_ms: float | None = None


@strawberry.type
class PingMutations:
    @strawberry.mutation
    @answered(TriggerProductIntegrationPingTestPayload)
    async def trigger_product_integration_ping_test(
        self, info: Info, input_: TriggerProductIntegrationPingTestInput
    ) -> TriggerProductIntegrationPingTestPayload:
        """Send test notifications; lastTest has the outcome."""
        context = info.context
        integration = await context.definitions.needed(input_.id)
        async with context.noted(integration.id):
            asked = await request_ping(
                context.definitions,
                context.pings,
                integration.id,
                input_.version,
                input_.event_types,
                context.now_ms,
                PingOptions(input_.security_checks, timeout_s=context.services.deployment.request_timeout_s),
            )
        return TriggerProductIntegrationPingTestPayload(
            product_integration=ProductIntegration.of(asked.integration, asked.revision),
            test=IntegrationTest.of(asked.test, context.now_ms),
        )

    @strawberry.mutation
    @answered(TestProductIntegrationCredentialsPayload)
    async def test_product_integration_credentials(
        self, info: Info, input_: TestProductIntegrationCredentialsInput
    ) -> TestProductIntegrationCredentialsPayload:
        """Get one token with these credentials, before they are saved. Answers within 15 seconds."""
        context = info.context
        changes = document_of(input_)
        any_id = changes.pop("id")
        if changes.get("transport") is None:
            changes.pop("transport", None)
        saved = (await context.definitions.needed(any_id)).id if any_id else None
        async with context.noted(saved) if saved else contextlib.nullcontext():
            context.turn.end()
            tried = await try_credentials(
                context.definitions, context.services.editor, context.trials, saved, changes, context.caller.vendor_id
            )
        return TestProductIntegrationCredentialsPayload(
            success=tried.success,
            error_code=tried.error_code,
            message=tried.message,
            duration_ms=tried.duration_ms,
        )
