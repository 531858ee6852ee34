"""Mutations about how users sign on to a product."""

from __future__ import annotations

import strawberry
from strawberry.types.unset import UNSET

from dispatcher.api.graphql.context import GraphContext, Info
from dispatcher.api.graphql.types.conversion import built, document_of
from dispatcher.api.graphql.types.enums import ClientCreationMethod, OpenIdGrantType
from dispatcher.api.graphql.types.integration_fields import BookmarkConfiguration, OpenIdConnectConfiguration
from dispatcher.api.graphql.types.payloads import IntegrationPayload, answered, working
from dispatcher.errors import Conflict
from dispatcher.flow.integrations.fields.kind import Vault
from dispatcher.flow.integrations.fields.product_rows import BOOKMARK, OPEN_ID_CONNECT
from dispatcher.flow.integrations.products.single_sign_on import (
    configure_bookmark,
    configure_open_id_connect,
    remove_single_sign_on,
)
from dispatcher.model.integration import OpenIdConnect

_SSO_ID = "integrationConfigurationId"


@strawberry.input
class AddProductIntegrationOpenIdConnectConfigurationInput:
    integration_configuration_id: strawberry.ID
    client_creation_method: ClientCreationMethod
    grant_types: list[OpenIdGrantType]
    redirect_urls: list[str]
    initiate_login_url: str | None = None
    logout_url: str | None = None
    allow_oidc_scope: bool = False
    allow_user_scopes: bool = False
    allow_role_scopes: bool = False


@strawberry.input
class UpdateProductIntegrationOpenIdConnectConfigurationInput:
    integration_configuration_id: strawberry.ID
    client_creation_method: ClientCreationMethod | None = UNSET
    grant_types: list[OpenIdGrantType] | None = UNSET
    redirect_urls: list[str] | None = UNSET
    initiate_login_url: str | None = UNSET
    logout_url: str | None = UNSET
    allow_oidc_scope: bool | None = UNSET
    allow_user_scopes: bool | None = UNSET
    allow_role_scopes: bool | None = UNSET


@strawberry.input
class AddProductIntegrationBookmarkConfigurationInput:
    integration_configuration_id: strawberry.ID
    landing_url: str


@strawberry.input
class RemoveProductIntegrationSingleSignOnConfigurationInput:
    integration_configuration_id: strawberry.ID


@strawberry.type
class OpenIdConnectConfigurationPayload(IntegrationPayload):
    open_id_connect_configuration: OpenIdConnectConfiguration | None = None
    warnings: list[str] = strawberry.field(default_factory=list)


@strawberry.type
class BookmarkConfigurationPayload(IntegrationPayload):
    bookmark_configuration: BookmarkConfiguration | None = None
    warnings: list[str] = strawberry.field(default_factory=list)


@strawberry.type
class RemoveProductIntegrationSingleSignOnConfigurationPayload(IntegrationPayload):
    pass


@strawberry.type
class SignOnMutations:
    @strawberry.mutation
    @answered(OpenIdConnectConfigurationPayload, _SSO_ID)
    async def add_product_integration_open_id_connect_configuration(
        self, info: Info, input_: AddProductIntegrationOpenIdConnectConfigurationInput
    ) -> OpenIdConnectConfigurationPayload:
        """Let users sign on with OpenID Connect."""
        return await _configure(info.context, input_.integration_configuration_id, OpenIdConnect(), input_)

    @strawberry.mutation
    @answered(OpenIdConnectConfigurationPayload, _SSO_ID)
    async def update_product_integration_open_id_connect_configuration(
        self, info: Info, input_: UpdateProductIntegrationOpenIdConnectConfigurationInput
    ) -> OpenIdConnectConfigurationPayload:
        """Change what is given of the OpenID Connect configuration."""
        current = await info.context.definitions.needed(input_.integration_configuration_id)
        before = current.working.open_id_connect
        if before is None:
            text = "There is no OpenID Connect configuration to update: add one."
            raise Conflict.of("not_configured", text, "id")
        return await _configure(info.context, current.id, before, input_)

    @strawberry.mutation
    @answered(BookmarkConfigurationPayload, _SSO_ID)
    async def add_product_integration_bookmark_configuration(
        self, info: Info, input_: AddProductIntegrationBookmarkConfigurationInput
    ) -> BookmarkConfigurationPayload:
        """Give users a link to a product that has no single sign-on."""
        context = info.context
        done = await configure_bookmark(
            context.definitions, input_.integration_configuration_id, input_.landing_url, context.now_ms
        )
        return BookmarkConfigurationPayload(
            product_integration=working(done.integration),
            bookmark_configuration=built(BookmarkConfiguration, BOOKMARK.shown(done.integration.working.bookmark)),
            warnings=list(done.warnings),
        )

    @strawberry.mutation
    @answered(RemoveProductIntegrationSingleSignOnConfigurationPayload, _SSO_ID)
    async def remove_product_integration_single_sign_on_configuration(
        self, info: Info, input_: RemoveProductIntegrationSingleSignOnConfigurationInput
    ) -> RemoveProductIntegrationSingleSignOnConfigurationPayload:
        """Remove OpenID Connect or the bookmark from the WORKING version."""
        context = info.context
        left = await remove_single_sign_on(context.definitions, input_.integration_configuration_id, context.now_ms)
        return RemoveProductIntegrationSingleSignOnConfigurationPayload(product_integration=working(left))


async def _configure(
    context: GraphContext,
    any_id: str,
    before: OpenIdConnect,
    input_: AddProductIntegrationOpenIdConnectConfigurationInput
    | UpdateProductIntegrationOpenIdConnectConfigurationInput,
) -> OpenIdConnectConfigurationPayload:
    wanted = OPEN_ID_CONNECT.merged(before, document_of(input_), Vault(context.services.sealer, any_id))
    done = await configure_open_id_connect(context.definitions, any_id, wanted, context.now_ms)
    shown = OPEN_ID_CONNECT.shown(done.integration.working.open_id_connect)
    return OpenIdConnectConfigurationPayload(
        product_integration=working(done.integration),
        open_id_connect_configuration=built(OpenIdConnectConfiguration, shown),
        warnings=list(done.warnings),
    )
