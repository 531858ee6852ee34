"""Inputs of mutations. A field left out means unchanged, null means cleared; nothing is checked here but types."""

from __future__ import annotations

from typing import Any

import strawberry
from strawberry.types.unset import UNSET

from dispatcher.api.graphql.types.enums import ClientCreationMethod, OpenIdGrantType
from dispatcher.api.graphql.types.integration_fields import IntegrationFields, OutboundCredentialsInput, TransportInput
from dispatcher.flow.integrations.credentials.rotate_secret import DEFAULT_OVERLAP_S
from dispatcher.model.event_type import EventType
from dispatcher.model.integration import SigningAlgorithm
from dispatcher.model.ping import PingVersion

EXPECTED: Any = strawberry.field(
    default=None, description="lastModified as it was read: refuse with modified_meanwhile if it is another by now."
)


@strawberry.input
class CreateProductIntegrationInput(IntegrationFields):
    """A new integration."""


@strawberry.input
class UpdateProductIntegrationInput(IntegrationFields):
    """Changes to the WORKING version."""

    id: strawberry.ID
    expected_last_modified: str | None = EXPECTED


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


@strawberry.input
class GenerateProductIntegrationInboundClientInput:
    id: strawberry.ID


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


@strawberry.input
class PublishProductIntegrationInput:
    integration_id: strawberry.ID
    expected_last_modified: str | None = EXPECTED


@strawberry.input
class LinkProductIntegrationInput:
    product_id: strawberry.ID
    integration_id: strawberry.ID


@strawberry.input
class EditionInput:
    code: str
    name: str
    description: str | None = None


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


@strawberry.input
class UnlinkProductIntegrationInput:
    product_id: strawberry.ID
    integration_id: strawberry.ID


@strawberry.input
class RotateProductIntegrationSigningSecretInput:
    id: strawberry.ID
    overlap_seconds: float | None = DEFAULT_OVERLAP_S
    algorithm: SigningAlgorithm = SigningAlgorithm.HMAC
    only: bool = strawberry.field(
        default=False, description="Also end the keys of the other algorithm, after the same overlap."
    )


@strawberry.input
class ScheduleProductIntegrationSigningKeyRotationInput:
    id: strawberry.ID
    every_days: int | None = strawberry.field(description="1 to 366; null = never.")
    overlap_seconds: float = DEFAULT_OVERLAP_S
    algorithm: SigningAlgorithm = SigningAlgorithm.ED25519


@strawberry.input
class EnableProductIntegrationSuspendedUrlInput:
    id: strawberry.ID
    event_type: EventType


@strawberry.input
class DeleteProductIntegrationInput:
    id: strawberry.ID
    expected_last_modified: str | None = EXPECTED
    discard_waiting_events: bool = strawberry.field(
        default=False, description="Also while events of it wait, which end as DEAD."
    )
