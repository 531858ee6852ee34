"""Rows of how a host is reached: credentials, certificates and proxy, headers of its own."""

from __future__ import annotations

from dispatcher.clock import DAY_MS
from dispatcher.flow.integrations.fields.credential_rules import client_secret_problem, credential_problems
from dispatcher.flow.integrations.fields.headers import Headers
from dispatcher.flow.integrations.fields.kind import MASK
from dispatcher.flow.integrations.fields.private_keys import private_key_problem
from dispatcher.flow.integrations.fields.records import Field, Record
from dispatcher.flow.integrations.fields.transport import CertificateFacts, TransportRecord
from dispatcher.flow.integrations.fields.values import Choice, Number, Secret, Switch, Text, Url, choice
from dispatcher.model.integration import AuthMethod, CredentialType, Header, OutboundCredentials, Transport
from dispatcher.policy.notification.headers import MAX_HEADERS
from dispatcher.policy.secrets.assertion_key import RSA_ALGORITHMS
from dispatcher.store.secrets import fields as sealed_fields

CREDENTIALS = Record(
    make=OutboundCredentials,
    check=credential_problems,
    fields=(
        Field(
            "type",
            "type",
            choice(
                CredentialType,
                CredentialType.NONE,
                {"NONE": "none", "BASIC": "user name and password (Basic)", "OAUTH2": "OAuth 2 access token"},
            ),
            says="Authorization",
        ),
        Field("clientId", "client_id", Text("", 255), says="Client id or user name"),
        Field(
            "clientSecret",
            "client_secret",
            Secret("", sealed_fields.client_secret, client_secret_problem),
            says="Client secret or password",
        ),
        Field("tokenUri", "token_uri", Url(), says="Token endpoint", example="https://login.example/token"),
        Field(
            "grantType",
            "grant_type",
            Choice("client_credentials", ("client_credentials",)),
            says="Grant that gets a token",
        ),
        Field("scope", "scope", Text(None, 4096), says="Scope, or several with spaces between"),
        Field("audience", "audience", Text(None, 2048), says="Audience of the token"),
        Field("resource", "resource", Text(None, 2048), says="Resource that the token is for"),
        Field(
            "authMethod",
            "auth_method",
            choice(AuthMethod, AuthMethod.CLIENT_SECRET_BASIC),
            says="Authentication at the token endpoint",
        ),
        Field(
            "privateKey",
            "private_key",
            Secret("", sealed_fields.private_key, private_key_problem),
            says="Private key of the assertion; PEM or JWK, for private_key_jwt",
        ),
        Field("keyId", "key_id", Text(None, 255), says="Key id of the assertion"),
        Field(
            "assertionAudience",
            "assertion_audience",
            Text(None, 2048),
            says="Audience of the assertion; none = the token endpoint",
        ),
        Field(
            "assertionAlgorithm",
            "assertion_algorithm",
            Choice(None, RSA_ALGORITHMS),
            says="Algorithm of the assertion; none = the key's own, RS256 of an RSA key",
        ),
        Field(
            "tokenLifetime",
            "token_lifetime_s",
            Number(None, 1, DAY_MS / 1000),
            says="Seconds that a token lasts; where its answer has no expires_in",
        ),
        Field(
            "ignoreTokenType",
            "ignore_token_type",
            Switch(),
            says="Send a token as Bearer, whatever token_type its answer names",
        ),
    ),
)
TRANSPORT = TransportRecord(
    make=Transport,
    is_set=lambda stored: stored.is_set,
    fields=(
        Field(
            "clientCertificate",
            "client_certificate",
            Text(),
            says="Client certificate; PEM, its issuers after it",
            example=MASK,
        ),
        Field(
            "clientCertificates",
            "client_certificate",
            CertificateFacts(),
            given=False,
            says="Certificates of clientCertificate, in order",
        ),
        Field(
            "privateKey",
            "private_key",
            Secret("", sealed_fields.transport_key),
            says="Key of the client certificate; PEM, not encrypted: it is sealed here",
        ),
        Field(
            "caCertificates",
            "ca_certificates",
            Text(),
            says="Authorities that the host's certificate may be from; PEM, none = the public ones",
            example=MASK,
        ),
        Field(
            "certificateAuthorities",
            "ca_certificates",
            CertificateFacts(),
            given=False,
            says="Certificates of caCertificates, in order",
        ),
        Field(
            "proxyUrl",
            "proxy_url",
            Text(),
            says="Proxy to the host; http://[user:password@]host:port",
            example="http://proxy.example:3128",
        ),
        Field("proxyUsername", "proxy_username", Text(), says="User name at the proxy", example="dispatcher"),
        Field(
            "proxyPassword", "proxy_password", Secret("", sealed_fields.proxy_password), says="Password at the proxy"
        ),
    ),
)
HEADERS = Headers(
    make=Header,
    most=MAX_HEADERS,
    plural="custom headers",
    fields=(
        Field("name", "name", Text(), says="Name of the header", example="X-Tenant"),
        Field("value", "value", Text(), says="Value of the header; left out, it stays as it is", example="acme"),
        Field("secret", "secret", Switch(), says="Mask the value where it is shown"),
    ),
)
