"""Connectors: what one account has to show at one integration's host, and the templates that they are made from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ConnectorAuth(StrEnum):
    """The way an ``auth_value`` is sent: ``Authorization: Basic``, ``X-Api-Key``, ``Authorization: Bearer``."""

    BASIC = "Basic"
    API_KEY = "ApiKey"
    OAUTH = "OAuth"
    OAUTH2 = "OAUTH2"
    """A template's own authorization-code flow; its tokens are sent as Bearer."""
    NONE = "None"


@dataclass(frozen=True, slots=True)
class PropertyRule:
    """A property that connectors of a template have."""

    name: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class OAuthApplication:
    """The application that users authorize (RFC 6749 §4.1, with PKCE, RFC 7636). ``client_secret`` is sealed."""

    authorize_uri: str
    token_uri: str
    client_id: str
    client_secret: str
    scope: str | None = None


@dataclass(frozen=True, slots=True)
class ConnectorTemplate:
    """A kind of connector. ``native`` ones may be deployed as partner connectors, others are Standard."""

    id: int
    name: str
    version: str
    created_ms: int
    modified_ms: int
    auth_type: ConnectorAuth | None = None
    """None = inferred from the value."""
    native: bool = False
    integration_id: str | None = None
    properties: tuple[PropertyRule, ...] = ()
    oauth: OAuthApplication | None = None
    vendor_id: str | None = None


@dataclass(frozen=True, slots=True)
class ConnectorProperty:
    id: int
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class RemoteAccount:
    """An account as the other side names it. ``teller`` empty = the product host; else the issuer of an ID token."""

    name: str
    teller: str = ""

    def is_another_than(self, known: RemoteAccount | None) -> bool:
        """Names of two tellers say nothing about one another."""
        return known is not None and known.teller == self.teller and known.name != self.name


@dataclass(frozen=True, slots=True)
class AccountConnector:
    """Installed into one account. ``auth_value`` is sealed; None = delivery falls back to the integration's own."""

    id: int
    account_id: str
    name: str
    version: str
    connection_id: str
    """24 hexadecimal digits: an install step's ``_connectionId``."""
    created_ms: int
    modified_ms: int
    description: str | None = None
    auth_value: str | None = None
    auth_type: ConnectorAuth | None = None
    """As it was given; None = inferred from the value."""
    auth_kind: ConnectorAuth | None = None
    """As it is sent: of the template, the request, or inferred."""
    refresh_token: str | None = None
    """Of an authorization-code flow, sealed; with ``expires_ms`` of the access token."""
    expires_ms: int | None = None
    partner: bool = False
    properties: tuple[ConnectorProperty, ...] = ()
    template_id: int | None = None
    integration_id: str | None = None
    """Bound once, at deploy; None = stored and shown, never sent."""
    marketplace_id: int | None = None
    origins: tuple[str, ...] = ()
    """Origins that ``auth_value`` may be sent to, as they stood when the value was given (RFC 6454 §6.2)."""
    transitions: int = 0
    """Counted up whenever its value is refused, or replaced after that: ids and locks follow from it."""
    needs_attention: str | None = None
    """Why its host refused it (a 401), in words; None = it is good as far as anybody knows."""
    remote_account: RemoteAccount | None = None
    """Told when the value was tried; None = nobody has said whose it is."""

    @property
    def authenticated(self) -> bool:
        return self.auth_value is not None and self.needs_attention is None
