"""Rights: scopes, API clients, and the caller of one request. Roles are in ``roles``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

PERSON = "oidc:"
"""In front of the issuer and subject of a person who signed in elsewhere, in the place of a client id."""


def is_person(client_id: str) -> bool:
    """True for a person, who is no API client: its rights are its session's."""
    return client_id.startswith(PERSON)


class Scope(StrEnum):
    """A use that a token is good for. A route declares the scopes of which it needs one."""

    EVENTS_WRITE = "events:write"
    """Emit, redeliver, resolve."""
    EVENTS_READ = "events:read"
    """Read events, attempts, explanations, the stream."""
    DELIVERIES_READ = "deliveries:read"
    """Another name for ``events:read``."""
    INTEGRATIONS_WRITE = "integrations:write"
    INTEGRATIONS_READ = "integrations:read"
    TENANTS_ADMIN = "tenants:admin"
    """Everything about integrations, whosever they are: both ``integrations:`` scopes."""
    PORTAL_CREATE = "portal:create"
    """Make links to the page of a product host's developers. Customers' one-time links need ``marketplace:partner``."""
    OPS_READ = "ops:read"
    """Queue, metrics, lanes, the audit log."""
    OPS_WRITE = "ops:write"
    """Pause, resume, deliver now, bulk redelivery."""
    CLIENTS_ADMIN = "clients:admin"
    MARKETPLACE_PARTNER = "marketplace:partner"
    """Show a marketplace in one's own application: accounts, users, one-time links and partner connectors."""
    INSTALLATIONS_READ = "installations:read"
    """Installed integrations of accounts, and the connectors there; a client of one account sees its own."""
    INSTALLATIONS_WRITE = "installations:write"
    """Install, set up and uninstall."""
    ROLE_APPLICATION = "ROLE_APPLICATION"
    """A product host's inbound client: its own integration's events only."""
    ROLE_DEVELOPER = "ROLE_DEVELOPER"
    """A publisher: everything about integrations."""
    ROLE_CHANNEL_ADMIN = "ROLE_CHANNEL_ADMIN"
    """A marketplace's administrator: everything but ROLE_APPLICATION."""


GRANTED_BY: dict[Scope, frozenset[Scope]] = {
    Scope.DELIVERIES_READ: frozenset({Scope.EVENTS_READ}),
    Scope.TENANTS_ADMIN: frozenset({Scope.INTEGRATIONS_READ, Scope.INTEGRATIONS_WRITE}),
    Scope.MARKETPLACE_PARTNER: frozenset({Scope.INSTALLATIONS_READ, Scope.INSTALLATIONS_WRITE}),
    Scope.ROLE_DEVELOPER: frozenset(
        {Scope.INTEGRATIONS_READ, Scope.INTEGRATIONS_WRITE, Scope.EVENTS_READ, Scope.EVENTS_WRITE}
    ),
    Scope.ROLE_CHANNEL_ADMIN: frozenset(Scope) - {Scope.ROLE_APPLICATION},
}
"""Scopes that stand for several."""

ADMIN_SCOPES: frozenset[Scope] = frozenset(Scope) - {Scope.ROLE_APPLICATION}

ACCOUNT_SCOPES: frozenset[Scope] = frozenset({Scope.INSTALLATIONS_READ, Scope.INSTALLATIONS_WRITE, Scope.EVENTS_READ})
"""Of a token that is narrowed to one account."""


def effective(scopes: frozenset[str]) -> frozenset[str]:
    """The scopes that a token really carries once those that stand for several are spelled out."""
    widened = set(scopes)
    for scope, granted in GRANTED_BY.items():
        if scope in scopes:
            widened |= granted
    return frozenset(widened)


@dataclass(frozen=True, slots=True)
class ApiClient:
    """A marketplace backend, a publisher or an operator. Only a hash of its secret is kept; none with a public key."""

    client_id: str
    secret_hash: str
    scopes: frozenset[str]
    created_ms: int
    name: str = ""
    account_id: str | None = None
    """Restricts every call to one account."""
    disabled: bool = False
    vendor_id: str | None = None
    """Restricts every call to the integrations and products of one vendor, as a publisher is called in the store."""
    rate_per_s: float | None = None
    """Requests per second; None = the deployment's default, 0 = unlimited."""
    marketplaces: tuple[int, ...] | None = None
    """Restricts it to these marketplaces and to the accounts that were made in them."""
    public_key: str | None = None
    """As JWK text: it proves itself by assertions that this key verifies, and has no secret."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The maker of one request, read from its verified token."""

    client_id: str
    scopes: frozenset[str]
    account_id: str | None = None
    integration_id: str | None = None
    """Set for inbound clients: the only integration whose events they reach."""
    vendor_id: str | None = None
    """Set for clients of one vendor: they reach what is this vendor's, and nothing else exists for them."""
    rate_per_s: float = 0.0
    """Requests per second that are answered; 0 = unlimited."""
    marketplaces: frozenset[int] | None = None
    """Set for clients of some marketplaces: these, and the accounts that were made in them; nothing else exists."""
    narrowed: bool = False
    """True for a token that was narrowed to ``account_id`` when it was asked for."""
    installation_id: str | None = None
    """Set for whoever shows a one-time bearer: the only installation that it reaches, as its owner."""

    def may(self, *needed: str) -> bool:
        """True when any of ``needed`` is among the caller's scopes."""
        return bool(self.scopes.intersection(needed))

    @property
    def key_space(self) -> str:
        """Owner of an ``Idempotency-Key``: the client, or the account that its token was narrowed to."""
        return f"{self.client_id} account:{self.account_id}" if self.narrowed else self.client_id

    def reaches(self, vendor_id: str | None) -> bool:
        """True when things of that vendor (None = of nobody) exist for the caller."""
        return self.vendor_id is None or self.vendor_id == vendor_id
