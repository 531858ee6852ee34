"""Every field of an integration, one row each. Taking, showing, masking and checking follow from the rows.

Written by hand beside a row: the attribute in ``dispatcher.model.integration``, and the GraphQL input and output in
``dispatcher.api.graphql.integration_fields``. ``tests/flow/test_integration_fields.py`` walks them.
"""

from __future__ import annotations

from dispatcher.flow.integrations.fields.credential_rules import client_secret_problem, credential_problems
from dispatcher.flow.integrations.fields.headers import Headers
from dispatcher.flow.integrations.fields.kind import Document, Kind
from dispatcher.flow.integrations.fields.private_keys import private_key_problem
from dispatcher.flow.integrations.fields.records import Affects, Field, Record, Records
from dispatcher.flow.integrations.fields.transport import CertificateFacts, TransportRecord
from dispatcher.flow.integrations.fields.values import (
    Choice,
    Condition,
    Delays,
    Name,
    Number,
    PageAddress,
    Secret,
    Switch,
    Text,
    Texts,
    Url,
    choice,
)
from dispatcher.model.event_type import URL_FIELDS
from dispatcher.model.installation import InstallStep
from dispatcher.model.integration import (
    AnswerMode,
    AuthMethod,
    BodyFormat,
    Bookmark,
    CredentialType,
    Header,
    Integration,
    NotificationStyle,
    OpenIdConnect,
    OrderFormField,
    OutboundCredentials,
    Transport,
)
from dispatcher.policy.notification.headers import MAX_HEADERS
from dispatcher.policy.secrets.assertion_key import RSA_ALGORITHMS
from dispatcher.store.secrets import fields as sealed_fields

DAY_S = 86_400.0
WEEK_MINUTES = 7 * 24 * 60
FORM_FIELD_TYPES = ("TEXT", "TEXT_AREA", "NUMBER", "BOOLEAN", "DATE", "EMAIL", "PHONE", "URL")
"""Questions to a buyer; the answers are passed on as they are."""

CREDENTIALS = Record(
    make=OutboundCredentials,
    check=credential_problems,
    fields=(
        Field("type", "type", choice(CredentialType, CredentialType.NONE)),
        Field("clientId", "client_id", Text("", 255)),
        Field("clientSecret", "client_secret", Secret("", sealed_fields.client_secret, client_secret_problem)),
        Field("tokenUri", "token_uri", Url()),
        Field("grantType", "grant_type", Choice("client_credentials", ("client_credentials",))),
        Field("scope", "scope", Text(None, 4096)),
        Field("audience", "audience", Text(None, 2048)),
        Field("resource", "resource", Text(None, 2048)),
        Field("authMethod", "auth_method", choice(AuthMethod, AuthMethod.CLIENT_SECRET_BASIC)),
        Field("privateKey", "private_key", Secret("", sealed_fields.private_key, private_key_problem)),
        Field("keyId", "key_id", Text(None, 255)),
        Field("assertionAudience", "assertion_audience", Text(None, 2048)),
        Field("assertionAlgorithm", "assertion_algorithm", Choice(None, RSA_ALGORITHMS)),
        Field("tokenLifetime", "token_lifetime_s", Number(None, 1, DAY_S)),
        Field("ignoreTokenType", "ignore_token_type", Switch()),
    ),
)
TRANSPORT = TransportRecord(
    make=Transport,
    is_set=lambda stored: stored.is_set,
    fields=(
        Field("clientCertificate", "client_certificate", Text()),
        Field("clientCertificates", "client_certificate", CertificateFacts(), given=False),
        Field("privateKey", "private_key", Secret("", sealed_fields.transport_key)),
        Field("caCertificates", "ca_certificates", Text()),
        Field("certificateAuthorities", "ca_certificates", CertificateFacts(), given=False),
        Field("proxyUrl", "proxy_url", Text()),
        Field("proxyUsername", "proxy_username", Text()),
        Field("proxyPassword", "proxy_password", Secret("", sealed_fields.proxy_password)),
    ),
)
HEADERS = Headers(
    make=Header,
    most=MAX_HEADERS,
    plural="custom headers",
    fields=(Field("name", "name", Text()), Field("value", "value", Text()), Field("secret", "secret", Switch())),
)
CLIENT_CREATION_METHODS = ("PER_SUBSCRIPTION", "SHARED")
ORDER_FORM = Records(
    make=OrderFormField,
    most=100,
    plural="order form fields",
    distinct=True,
    fields=(
        Field("name", "name", Name(required=True)),
        Field("label", "label", Text(None, 255)),
        Field("type", "type", Choice("TEXT", FORM_FIELD_TYPES, folded=True)),
        Field("required", "required", Switch()),
    ),
)
OPEN_ID_CONNECT = Record(
    make=OpenIdConnect,
    optional=True,
    fields=(
        Field(
            "clientCreationMethod",
            "client_creation_method",
            Choice("PER_SUBSCRIPTION", CLIENT_CREATION_METHODS, kept=True),
        ),
        Field("grantTypes", "grant_types", Texts()),
        Field("redirectUrls", "redirect_urls", Texts()),
        Field("allowOidcScope", "allow_oidc_scope", Switch(kept=True)),
        Field("allowUserScopes", "allow_user_scopes", Switch(kept=True)),
        Field("allowRoleScopes", "allow_role_scopes", Switch(kept=True)),
        Field("initiateLoginUrl", "initiate_login_url", Kind()),
        Field("logoutUrl", "logout_url", Kind()),
    ),
)
INSTALL_TEMPLATE = Records(
    make=InstallStep,
    most=50,
    plural="steps",
    fields=(
        Field("name", "name", Name(required=True, most=200)),
        Field("description", "description", Text(None, 4096)),
        Field("imageURL", "image_url", PageAddress()),
        Field("installURL", "install_url", PageAddress()),
        Field("installerFunction", "installer_function", Name(most=200)),
        Field("uninstallerFunction", "uninstaller_function", Name(most=200)),
        Field("connection", "connection", Name()),
    ),
)
BOOKMARK = Record(make=Bookmark, optional=True, fields=(Field("landingUrl", "landing_url", Kind()),))

INTEGRATION = Record(
    make=Integration,
    fields=(
        Field("name", "name", Name(required=True), Affects.LISTING),
        *(Field(name, f"working.urls.{name}", Url()) for name in URL_FIELDS),
        Field("outboundCredentials", "working.credentials", CREDENTIALS),
        Field("transport", "working.transport", TRANSPORT),
        Field("answers", "working.answers", choice(AnswerMode, AnswerMode.AUTO)),
        Field("format", "working.format", choice(BodyFormat, BodyFormat.STANDARD)),
        Field("style", "working.style", choice(NotificationStyle, NotificationStyle.POST)),
        Field("retrySchedule", "working.retry.schedule_s", Delays(None, 50, 30 * DAY_S)),
        Field("requestTimeout", "working.retry.timeout_s", Number(None, 0.1, 300.0)),
        Field("maxAge", "working.retry.max_age_s", Number(None, 1.0, 30 * DAY_S)),
        Field("concurrency", "working.limits.concurrency", Number(None, 1, 10_000, whole=True)),
        Field("rateLimit", "working.limits.rate_per_s", Number(None, 0.001, 100_000.0)),
        Field("resultDeadline", "working.result_deadline_s", Number(None, 1.0, 90 * DAY_S)),
        Field("headers", "working.headers", HEADERS),
        Field("filter", "working.filter", Condition()),
        Field("validatePayloads", "working.validate_payloads", Switch(), Affects.ACCEPTING),
        Field("orderRequireFormFields", "working.order_require_form_fields", Switch(), Affects.ACCEPTING),
        Field("orderFormFields", "working.order_form_fields", ORDER_FORM, Affects.ACCEPTING),
        Field("installTemplate", "working.install_template", INSTALL_TEMPLATE, Affects.INSTALLING),
        Field("vendorId", "vendor_id", Name(), Affects.LISTING),
        Field(
            "probeIntervalMinutes",
            "probe_interval_minutes",
            Number(None, 1, WEEK_MINUTES, whole=True, hint="; null turns probes off"),
            Affects.PINGS,
        ),
        Field("openIdConnectConfiguration", "working.open_id_connect", OPEN_ID_CONNECT, Affects.SIGN_ON, given=False),
        Field("bookmarkConfiguration", "working.bookmark", BOOKMARK, Affects.SIGN_ON, given=False),
    ),
)
"""All of an integration that publishers set, WORKING and whole."""


def affected(changes: Document) -> frozenset[Affects]:
    """The parts of the product that these changes touch."""
    return frozenset(one.affects for one in INTEGRATION.asked(changes))
