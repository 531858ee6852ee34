"""The fields of an integration as GraphQL takes and shows them: typed by hand, converted by ``conversion``.

A field does, and is called, as its row in ``dispatcher.flow.integrations.fields.table`` says.
"""

from __future__ import annotations

import strawberry
from strawberry.scalars import JSON
from strawberry.types.unset import UNSET

from dispatcher.api.graphql.types.enums import AssertionAlgorithm, ClientCreationMethod, GrantType, OpenIdGrantType
from dispatcher.api.graphql.types.scalars import FormFieldType
from dispatcher.model.integration import AnswerMode, AuthMethod, BodyFormat, CredentialType, NotificationStyle


@strawberry.input
class OutboundCredentialsInput:
    """Credentials of the dispatcher at the product host. For BASIC, clientId is the user name."""

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
    assertion_audience: str | None = UNSET
    assertion_algorithm: AssertionAlgorithm | None = UNSET
    token_lifetime: float | None = UNSET
    ignore_token_type: bool | None = UNSET


@strawberry.type
class OutboundCredentials:
    type: CredentialType
    client_id: str | None
    client_secret: str | None
    token_uri: str | None
    grant_type: GrantType
    scope: str | None
    audience: str | None
    resource: str | None
    auth_method: AuthMethod
    private_key: str | None
    key_id: str | None
    assertion_audience: str | None
    assertion_algorithm: AssertionAlgorithm | None
    token_lifetime: float | None
    ignore_token_type: bool


@strawberry.input
class TransportInput:
    """Connections to the host and its token endpoint. Certificates are PEM, the client's own first."""

    client_certificate: str | None = UNSET
    private_key: str | None = UNSET
    ca_certificates: str | None = UNSET
    proxy_url: str | None = UNSET
    proxy_username: str | None = UNSET
    proxy_password: str | None = UNSET


@strawberry.type
class Certificate:
    """``fingerprint`` is the SHA-256 of the certificate, in hexadecimal."""

    subject: str
    issuer: str
    fingerprint: str
    not_before: str
    not_after: str


@strawberry.type
class Transport:
    """Connections to the host and its token endpoint."""

    client_certificate: str | None
    client_certificates: list[Certificate]
    private_key: str | None
    ca_certificates: str | None
    certificate_authorities: list[Certificate]
    proxy_url: str | None
    proxy_username: str | None
    proxy_password: str | None


@strawberry.input
class HeaderInput:
    """A custom header. Leave the value out to keep the one that is stored."""

    name: str
    value: str | None = None
    secret: bool = False


@strawberry.type
class Header:
    name: str
    value: str
    secret: bool


@strawberry.input
class OrderFormFieldInput:
    """A field that the buyer fills in during a purchase."""

    name: str
    label: str | None = None
    type: FormFieldType | None = FormFieldType("TEXT")
    required: bool | None = False


@strawberry.type
class OrderFormField:
    name: str
    label: str | None
    type: str
    required: bool


@strawberry.input
class InstallStepInput:
    """A step that whoever installs the product goes through."""

    name: str
    description: str | None = None
    image_url: str | None = strawberry.field(default=None, name="imageURL")
    install_url: str | None = strawberry.field(default=None, name="installURL")
    installer_function: str | None = None
    uninstaller_function: str | None = None
    connection: str | None = None


@strawberry.type
class InstallStep:
    name: str
    description: str | None
    image_url: str | None = strawberry.field(name="imageURL")
    install_url: str | None = strawberry.field(name="installURL")
    installer_function: str | None
    uninstaller_function: str | None
    connection: str | None


@strawberry.type(name="ProductIntegrationOpenIdConnectConfiguration")
class OpenIdConnectConfiguration:
    client_creation_method: ClientCreationMethod
    grant_types: list[OpenIdGrantType]
    redirect_urls: list[str]
    allow_oidc_scope: bool
    allow_user_scopes: bool
    allow_role_scopes: bool
    initiate_login_url: str | None
    logout_url: str | None


@strawberry.type(name="ProductIntegrationBookmarkConfiguration")
class BookmarkConfiguration:
    landing_url: str


@strawberry.input
class IntegrationFields:
    """Fields that both creating and updating take."""

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
    format: BodyFormat | None = UNSET
    style: NotificationStyle | None = UNSET
    retry_schedule: list[float] | None = UNSET
    request_timeout: float | None = UNSET
    max_age: float | None = UNSET
    concurrency: int | None = UNSET
    rate_limit: float | None = UNSET
    result_deadline: float | None = UNSET
    headers: list[HeaderInput] | None = UNSET
    filter: JSON | None = UNSET
    validate_payloads: bool | None = UNSET
    order_require_form_fields: bool | None = UNSET
    order_form_fields: list[OrderFormFieldInput] | None = UNSET
    install_template: list[InstallStepInput] | None = UNSET
    vendor_id: strawberry.ID | None = UNSET
    probe_interval_minutes: int | None = UNSET


@strawberry.type
class ShownFields:
    """The fields of one version."""

    create_url: str | None
    upgrade_url: str | None
    cancel_url: str | None
    notify_url: str | None
    event_status_url: str | None
    assign_url: str | None
    unassign_url: str | None
    user_updated_url: str | None
    addon_notification_url: str | None
    outbound_credentials: OutboundCredentials
    transport: Transport | None
    answers: AnswerMode
    format: BodyFormat
    style: NotificationStyle
    retry_schedule: list[float] | None
    request_timeout: float | None
    max_age: float | None
    concurrency: int | None
    rate_limit: float | None
    result_deadline: float | None
    headers: list[Header]
    filter: JSON | None
    validate_payloads: bool
    order_require_form_fields: bool
    order_form_fields: list[OrderFormField]
    install_template: list[InstallStep]
    open_id_connect_configuration: OpenIdConnectConfiguration | None
    bookmark_configuration: BookmarkConfiguration | None
