"""Mutations about sign-on, inbound credentials and secrets."""

from __future__ import annotations

import strawberry

from dispatcher.api.graphql.context import GraphContext, Info
from dispatcher.api.graphql.mutations.definitions import working
from dispatcher.api.graphql.types import inputs, payloads
from dispatcher.api.graphql.types.conversion import built, document_of
from dispatcher.api.graphql.types.integration_fields import BookmarkConfiguration, OpenIdConnectConfiguration
from dispatcher.api.graphql.types.outputs import InboundClient
from dispatcher.api.graphql.types.payloads import answered
from dispatcher.api.graphql.types.scalars import EpochMs
from dispatcher.errors import Conflict, Refused
from dispatcher.flow.integrations.credentials.inbound_client import generate_inbound_client
from dispatcher.flow.integrations.credentials.rotate_secret import DEFAULT_OVERLAP_S, rotate_secret
from dispatcher.flow.integrations.credentials.rotation_schedule import schedule_rotation
from dispatcher.flow.integrations.fields.kind import Vault
from dispatcher.flow.integrations.fields.product_rows import BOOKMARK, OPEN_ID_CONNECT
from dispatcher.flow.integrations.products.single_sign_on import (
    configure_bookmark,
    configure_open_id_connect,
    remove_single_sign_on,
)
from dispatcher.model.integration import OpenIdConnect
from dispatcher.policy.client_rights import inbound_excess

_SSO_ID = "integrationConfigurationId"


@strawberry.type
class AccessMutations:
    @strawberry.mutation
    @answered(payloads.OpenIdConnectConfigurationPayload, _SSO_ID)
    async def add_product_integration_open_id_connect_configuration(
        self, info: Info, input_: inputs.AddProductIntegrationOpenIdConnectConfigurationInput
    ) -> payloads.OpenIdConnectConfigurationPayload:
        """Let users sign on with OpenID Connect."""
        return await _configure(info.context, input_.integration_configuration_id, OpenIdConnect(), input_)

    @strawberry.mutation
    @answered(payloads.OpenIdConnectConfigurationPayload, _SSO_ID)
    async def update_product_integration_open_id_connect_configuration(
        self, info: Info, input_: inputs.UpdateProductIntegrationOpenIdConnectConfigurationInput
    ) -> payloads.OpenIdConnectConfigurationPayload:
        """Change what is given of the OpenID Connect configuration."""
        current = await info.context.definitions.needed(input_.integration_configuration_id)
        before = current.working.open_id_connect
        if before is None:
            text = "There is no OpenID Connect configuration to update: add one."
            raise Conflict.of("not_configured", text, "id")
        return await _configure(info.context, current.id, before, input_)

    @strawberry.mutation
    @answered(payloads.BookmarkConfigurationPayload, _SSO_ID)
    async def add_product_integration_bookmark_configuration(
        self, info: Info, input_: inputs.AddProductIntegrationBookmarkConfigurationInput
    ) -> payloads.BookmarkConfigurationPayload:
        """Give users a link to a product that has no single sign-on."""
        context = info.context
        done = await configure_bookmark(
            context.definitions, input_.integration_configuration_id, input_.landing_url, context.now_ms
        )
        return payloads.BookmarkConfigurationPayload(
            product_integration=working(done.integration),
            bookmark_configuration=built(BookmarkConfiguration, BOOKMARK.shown(done.integration.working.bookmark)),
            warnings=list(done.warnings),
        )

    @strawberry.mutation
    @answered(payloads.RemoveProductIntegrationSingleSignOnConfigurationPayload, _SSO_ID)
    async def remove_product_integration_single_sign_on_configuration(
        self, info: Info, input_: inputs.RemoveProductIntegrationSingleSignOnConfigurationInput
    ) -> payloads.RemoveProductIntegrationSingleSignOnConfigurationPayload:
        """Remove OpenID Connect or the bookmark from the WORKING version."""
        context = info.context
        left = await remove_single_sign_on(context.definitions, input_.integration_configuration_id, context.now_ms)
        return payloads.RemoveProductIntegrationSingleSignOnConfigurationPayload(product_integration=working(left))

    @strawberry.mutation
    @answered(payloads.GenerateProductIntegrationInboundClientPayload)
    async def generate_product_integration_inbound_client(
        self, info: Info, input_: inputs.GenerateProductIntegrationInboundClientInput
    ) -> payloads.GenerateProductIntegrationInboundClientPayload:
        """Credentials with which the product host answers events; the pair before stops working."""
        context = info.context
        if lacking := inbound_excess(context.caller):
            raise Refused(lacking)
        pair = await generate_inbound_client(context.definitions, input_.id, context.now_ms)
        created_on = EpochMs(pair.created_ms)
        return payloads.GenerateProductIntegrationInboundClientPayload(
            product_integration_inbound_client=InboundClient(
                client_id=pair.client_id, client_secret=pair.client_secret, created_on=created_on
            ),
            client_id=pair.client_id,
            client_secret=pair.client_secret,
            created_on=created_on,
        )

    @strawberry.mutation
    @answered(payloads.RotateProductIntegrationSigningSecretPayload)
    async def rotate_product_integration_signing_secret(
        self, info: Info, input_: inputs.RotateProductIntegrationSigningSecretInput
    ) -> payloads.RotateProductIntegrationSigningSecretPayload:
        """Sign with a new secret or key, and for the overlap with the old one of that algorithm too."""
        context = info.context
        overlap_s = DEFAULT_OVERLAP_S if input_.overlap_seconds is None else input_.overlap_seconds
        rotated = await rotate_secret(
            context.definitions,
            context.services.sealer,
            input_.id,
            context.now_ms,
            overlap_s,
            input_.algorithm,
            only=input_.only,
        )
        return payloads.RotateProductIntegrationSigningSecretPayload(
            product_integration=working(rotated.integration),
            signing_secret=rotated.signing_secret,
            public_key=rotated.public_key,
        )

    @strawberry.mutation
    @answered(payloads.ScheduleProductIntegrationSigningKeyRotationPayload)
    async def schedule_product_integration_signing_key_rotation(
        self, info: Info, input_: inputs.ScheduleProductIntegrationSigningKeyRotationInput
    ) -> payloads.ScheduleProductIntegrationSigningKeyRotationPayload:
        """Have ED25519 keys rotated by themselves, or no more."""
        context = info.context
        changed = await schedule_rotation(
            context.definitions,
            context.definitions.rotations_due,
            input_.id,
            context.now_ms,
            every_days=input_.every_days,
            overlap_s=input_.overlap_seconds,
            algorithm=input_.algorithm,
        )
        return payloads.ScheduleProductIntegrationSigningKeyRotationPayload(product_integration=working(changed))


async def _configure(
    context: GraphContext,
    any_id: str,
    before: OpenIdConnect,
    input_: inputs.AddProductIntegrationOpenIdConnectConfigurationInput
    | inputs.UpdateProductIntegrationOpenIdConnectConfigurationInput,
) -> payloads.OpenIdConnectConfigurationPayload:
    wanted = OPEN_ID_CONNECT.merged(before, document_of(input_), Vault(context.services.sealer, any_id))
    done = await configure_open_id_connect(context.definitions, any_id, wanted, context.now_ms)
    shown = OPEN_ID_CONNECT.shown(done.integration.working.open_id_connect)
    return payloads.OpenIdConnectConfigurationPayload(
        product_integration=working(done.integration),
        open_id_connect_configuration=built(OpenIdConnectConfiguration, shown),
        warnings=list(done.warnings),
    )
