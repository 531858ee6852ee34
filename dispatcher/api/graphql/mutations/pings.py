"""Mutations that try an integration out. What they send is sent by workers, never by the API."""

from __future__ import annotations

import contextlib

import strawberry

from dispatcher.api.graphql.context import Info
from dispatcher.api.graphql.types import inputs, payloads
from dispatcher.api.graphql.types.conversion import document_of
from dispatcher.api.graphql.types.objects import ProductIntegration
from dispatcher.api.graphql.types.payloads import answered
from dispatcher.api.graphql.types.ping_outputs import IntegrationTest
from dispatcher.flow.pings.credentials import try_credentials
from dispatcher.flow.pings.request import PingOptions, request_ping


@strawberry.type
class PingMutations:
    @strawberry.mutation
    @answered(payloads.TriggerProductIntegrationPingTestPayload)
    async def trigger_product_integration_ping_test(
        self, info: Info, input_: inputs.TriggerProductIntegrationPingTestInput
    ) -> payloads.TriggerProductIntegrationPingTestPayload:
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
        return payloads.TriggerProductIntegrationPingTestPayload(
            product_integration=ProductIntegration.of(asked.integration, asked.revision),
            test=IntegrationTest.of(asked.test, context.now_ms),
        )

    @strawberry.mutation
    @answered(payloads.TestProductIntegrationCredentialsPayload)
    async def test_product_integration_credentials(
        self, info: Info, input_: inputs.TestProductIntegrationCredentialsInput
    ) -> payloads.TestProductIntegrationCredentialsPayload:
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
        return payloads.TestProductIntegrationCredentialsPayload(
            success=tried.success,
            error_code=tried.error_code,
            message=tried.message,
            duration_ms=tried.duration_ms,
        )
