"""Integration definitions: a product's way to hear of events. WORKING is edited; PUBLISHED revisions never change.

Secrets are held here sealed (see ``dispatcher.store.secrets.sealing``); whoever sends opens them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from dispatcher.model.installation import InstallStep
from dispatcher.model.product import UNDESCRIBED, ProductDetails

WORKING = 0
"""Revision number of the WORKING version."""


class CredentialType(StrEnum):
    NONE = "NONE"
    BASIC = "BASIC"
    OAUTH2 = "OAUTH2"


class AuthMethod(StrEnum):
    """Client authentication at the token endpoint (RFC 6749 §2.3.1, RFC 7523 §2.2, RFC 8705 §2)."""

    CLIENT_SECRET_BASIC = "client_secret_basic"  # noqa: S105 - a method
    CLIENT_SECRET_POST = "client_secret_post"  # noqa: S105 - a method
    PRIVATE_KEY_JWT = "private_key_jwt"
    TLS_CLIENT_AUTH = "tls_client_auth"
    SELF_SIGNED_TLS_CLIENT_AUTH = "self_signed_tls_client_auth"

    @property
    def by_certificate(self) -> bool:
        """The client certificate of the connection is what authenticates."""
        return self in (AuthMethod.TLS_CLIENT_AUTH, AuthMethod.SELF_SIGNED_TLS_CLIENT_AUTH)


class SigningAlgorithm(StrEnum):
    """The signature of notifications: ``v1`` with a shared secret, ``v1a`` with a key that is ours alone."""

    HMAC = "HMAC"
    ED25519 = "ED25519"


class AnswerMode(StrEnum):
    """The reading of a host's 2xx answer."""

    AUTO = "auto"
    RESULT = "result"
    ACK = "ack"


class BodyFormat(StrEnum):
    """The body that is POSTed to a host."""

    STANDARD = "STANDARD"
    CLOUDEVENTS = "CLOUDEVENTS"


class NotificationStyle(StrEnum):
    """A host is told of an event in the body of a POST, or asked with GET to read it at its ``eventUrl``."""

    POST = "POST"
    EVENT_URL_GET = "EVENT_URL_GET"


@dataclass(frozen=True, slots=True)
class OutboundCredentials:
    """Credentials that authorise us at the host. ``client_secret`` and ``private_key`` are sealed."""

    type: CredentialType = CredentialType.NONE
    client_id: str = ""
    client_secret: str = ""
    token_uri: str = ""
    grant_type: str = "client_credentials"
    scope: str | None = None
    audience: str | None = None
    resource: str | None = None
    auth_method: AuthMethod = AuthMethod.CLIENT_SECRET_BASIC
    private_key: str = ""
    """PEM or JWK text of the signing key for ``private_key_jwt``, sealed."""
    key_id: str | None = None
    assertion_audience: str | None = None
    """``aud`` of the assertion; None = the token URI."""
    assertion_algorithm: str | None = None
    """Of an RSA key that names none itself; None = RS256."""
    token_lifetime_s: float | None = None
    """Of a token whose answer names none; None = the deployment's."""
    ignore_token_type: bool = False
    """Send a token that is not called Bearer as one."""


@dataclass(frozen=True, slots=True)
class Transport:
    """Connections to the host and to its token endpoint. ``private_key`` and ``proxy_password`` are sealed.

    Certificates are PEM. Without anything set, connections are made as the deployment makes them.
    """

    client_certificate: str = ""
    """The client's own first, then each one's issuer."""
    private_key: str = ""
    ca_certificates: str = ""
    """Trusted instead of the public authorities."""
    proxy_url: str = ""
    proxy_username: str = ""
    proxy_password: str = ""

    @property
    def is_set(self) -> bool:
        return bool(self.client_certificate or self.ca_certificates or self.proxy_url)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """``schedule_s[k]`` = seconds between attempt k+1 and k+2; None = the deployment's default."""

    schedule_s: tuple[float, ...] | None = None
    timeout_s: float | None = None
    max_age_s: float | None = None


@dataclass(frozen=True, slots=True)
class LaneLimits:
    """Upper bounds for one integration; None = the deployment's default."""

    concurrency: int | None = None
    rate_per_s: float | None = None


@dataclass(frozen=True, slots=True)
class OrderFormField:
    name: str
    label: str | None = None
    type: str = "TEXT"
    required: bool = False


@dataclass(frozen=True, slots=True)
class Header:
    """A custom header; ``value`` is sealed when ``secret``."""

    name: str
    value: str
    secret: bool = False


@dataclass(frozen=True, slots=True)
class OpenIdConnect:
    client_creation_method: str = "PER_SUBSCRIPTION"
    grant_types: tuple[str, ...] = ()
    redirect_urls: tuple[str, ...] = ()
    allow_oidc_scope: bool = False
    allow_user_scopes: bool = False
    allow_role_scopes: bool = False
    initiate_login_url: str | None = None
    logout_url: str | None = None


@dataclass(frozen=True, slots=True)
class Bookmark:
    landing_url: str


@dataclass(frozen=True, slots=True)
class Revision:
    """Everything that decides how an event is delivered. Number 0 is WORKING."""

    number: int = WORKING
    urls: dict[str, str] = field(default_factory=dict)
    """``createUrl`` … → URL, only those that are configured."""
    credentials: OutboundCredentials = OutboundCredentials()
    transport: Transport = Transport()
    answers: AnswerMode = AnswerMode.AUTO
    format: BodyFormat = BodyFormat.STANDARD
    style: NotificationStyle = NotificationStyle.POST
    retry: RetryPolicy = RetryPolicy()
    limits: LaneLimits = LaneLimits()
    headers: tuple[Header, ...] = ()
    filter: dict[str, Any] | None = None
    validate_payloads: bool = False
    """Accept only events whose payload fits the schema of its type."""
    order_require_form_fields: bool = False
    order_form_fields: tuple[OrderFormField, ...] = ()
    install_template: tuple[InstallStep, ...] = ()
    """Steps that are copied into each installation."""
    open_id_connect: OpenIdConnect | None = None
    bookmark: Bookmark | None = None
    result_deadline_s: float | None = None
    created_ms: int = 0
    created_by: str = ""
    places: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Each secret and where it may go (``policy.secrets.secret_places``); one that is missing: where it goes here."""


@dataclass(frozen=True, slots=True)
class SigningSecret:
    """``secret`` is ``whsec_…`` (HMAC) or ``whsk_…`` (ed25519), sealed. ``not_after_ms`` None = current."""

    secret: str
    created_ms: int
    not_after_ms: int | None = None
    algorithm: SigningAlgorithm = SigningAlgorithm.HMAC
    public_key: str | None = None
    """``whpk_…`` of an ed25519 key, in clear."""

    def signs_at(self, now_ms: int) -> bool:
        return self.not_after_ms is None or self.not_after_ms > now_ms


@dataclass(frozen=True, slots=True)
class SigningRotation:
    """A schedule. ``next_ms`` is when the next rotation is due, not when it was planned."""

    every_days: int
    overlap_s: float
    next_ms: int


@dataclass(frozen=True, slots=True)
class InboundClient:
    """Credentials of a product host; only a hash of its secret is kept."""

    client_id: str
    secret_hash: str
    created_ms: int


@dataclass(frozen=True, slots=True)
class Integration:
    """One integration definition with its WORKING version and what applies to all revisions."""

    id: str
    app_market_id: int
    connector_id: str
    name: str
    created_ms: int
    modified_ms: int
    type: str = "FULL_INTEGRATION"
    working: Revision = Revision()
    published_revision: int | None = None
    linked_products: tuple[str, ...] = ()
    signing_secrets: tuple[SigningSecret, ...] = ()
    """Newest first; those past ``not_after_ms`` no longer sign."""
    inbound_client: InboundClient | None = None
    probe_interval_minutes: int | None = None
    """Minutes between scheduled pings; None = there are none."""
    vendor_id: str | None = None
    """The vendor (publisher) whose it is; None = only clients that are bound to no vendor reach it."""

    signing_rotation: SigningRotation | None = None
    """The schedule that rotates its ed25519 keys; None = there is none."""
    account_bound: bool = False
    """Some account has, or had, a connector or an installation of it: delivering asks for both."""

    @property
    def ui_read_only(self) -> bool:
        return len(self.linked_products) > 1

    @property
    def tenant(self) -> str:
        """The party to a fair share of workers: its vendor, without one the integration itself."""
        return self.id if self.vendor_id is None else f"vendor:{self.vendor_id}"


@dataclass(frozen=True, slots=True)
class Product:
    id: str
    integration_id: str | None = None
    version: str = "WORKING"
    vendor_id: str | None = None
    """The vendor of the integration that it was last linked to or unlinked from."""
    details: ProductDetails = UNDESCRIBED
    claimed: bool = False
    """A vendor says that it is its own, and nobody else has said so: for all others it does not exist yet."""

    def reaches(self, vendor_id: str | None) -> bool:
        """True for whoever acts for ``vendor_id`` (None = for no vendor), unless it is another's claim."""
        return not self.claimed or vendor_id == self.vendor_id

    def linked_for(self, vendor_id: str | None) -> str | None:
        """Its integration, for whoever it ``reaches``."""
        return self.integration_id if self.reaches(vendor_id) else None
