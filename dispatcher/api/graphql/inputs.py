"""What mutations take. A field left out means unchanged, null means cleared; nothing is checked here but types."""

from __future__ import annotations

from typing import Any

import strawberry
from strawberry.scalars import JSON
from strawberry.types.unset import UNSET

from dispatcher.api.graphql.enums import ClientCreationMethod, GrantType, OpenIdGrantType
from dispatcher.flow.integrations.rotate_secret import DEFAULT_OVERLAP_S
from dispatcher.model.event_type import EventType
from dispatcher.model.integration import AnswerMode, AuthMethod, CredentialType, SigningAlgorithm
from dispatcher.model.ping import PingVersion

EXPECTED: Any = strawberry.field(
    default=None, description="lastModified as it was read: refuse with modified_meanwhile if it is another by now."
)


@strawberry.input
class OutboundCredentialsInput:
    """What authorises the dispatcher at the product host. For BASIC, clientId is the user name."""

    type: CredentialType | None = UNSET
    client_id: str | None = UNSET
    client_secret: str | None = UNSET
    token_uri: str | None = UNSET
    grant_type: GrantType | None = UNSET
    scope: str | None = UNSET
    audience: str | None = UNSET
    resource: str | None = UNSET
    auth_method: AuthMethod | None = UNSET
    private_key: str | None = UNSET
    key_id: str | None = UNSET


@strawberry.input
class TransportInput:
    """How connections to the host and its token endpoint are made. Certificates are PEM, the client's own first."""

    client_certificate: str | None = UNSET
    private_key: str | None = strawberry.field(default=UNSET, description="PEM, not encrypted: it is sealed here.")
    ca_certificates: str | None = strawberry.field(
        default=UNSET, description="Trusted instead of the public authorities."
    )
    proxy_url: str | None = strawberry.field(default=UNSET, description="http://[user:password@]host:port")
    proxy_username: str | None = UNSET
    proxy_password: str | None = UNSET


@strawberry.input
class HeaderInput:
    """A custom header. Leave the value out to keep the one that is stored."""

    name: str
    value: str | None = None
    secret: bool = False


@strawberry.input
class OrderFormFieldInput:
    """A field that the buyer fills in during a purchase."""

    name: str
    label: str | None = None
    type: str | None = strawberry.field(
        default="TEXT", description="TEXT, TEXT_AREA, NUMBER, BOOLEAN, DATE, EMAIL, PHONE or URL, in any case."
    )
    required: bool | None = False


@strawberry.input
class IntegrationFields:
    """What both creating and updating take."""

    name: str | None = UNSET
    create_url: str | None = UNSET
    upgrade_url: str | None = UNSET
    cancel_url: str | None = UNSET
    notify_url: str | None = UNSET
    event_status_url: str | None = UNSET
    assign_url: str | None = UNSET
    unassign_url: str | None = UNSET
    user_updated_url: str | None = UNSET
    addon_notification_url: str | None = UNSET
    outbound_credentials: OutboundCredentialsInput | None = UNSET
    transport: TransportInput | None = UNSET
    answers: AnswerMode | None = UNSET
    retry_schedule: list[float] | None = UNSET
    request_timeout: float | None = UNSET
    max_age: float | None = UNSET
    concurrency: int | None = UNSET
    rate_limit: float | None = UNSET
    result_deadline: float | None = UNSET
    headers: list[HeaderInput] | None = UNSET
    filter: JSON | None = UNSET
    validate_payloads: bool | None = strawberry.field(
        default=UNSET, description="Accept only events whose payload fits the schema of its type (GET /v1/event-types)."
    )
    order_require_form_fields: bool | None = UNSET
    order_form_fields: list[OrderFormFieldInput] | None = UNSET
    vendor_id: strawberry.ID | None = strawberry.field(
        default=UNSET, description="Whose it is. Clients of one vendor leave it out: theirs is their vendor's."
    )
    probe_interval_minutes: int | None = strawberry.field(
        default=UNSET, description="Ping it by itself this often, whatever its version; null = never."
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
class DeleteProductIntegrationInput:
    id: strawberry.ID
    expected_last_modified: str | None = EXPECTED


def given(values: object, names: dict[str, str]) -> dict[str, Any]:
    """Attributes of an input that were given, under the names that ``names`` maps them to."""
    found = {target: getattr(values, name) for name, target in names.items()}
    return {target: value for target, value in found.items() if value is not UNSET}
