"""Clients that can authenticate: API clients and integrations' inbound clients, as one. Never checks a token.

Both kinds are always asked for, so that an unknown id takes as long as a known one.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from dispatcher.errors import RequestError
from dispatcher.model.access import ApiClient, Scope
from dispatcher.model.integration import Integration
from dispatcher.store.access.clients import ClientStore, hash_secret
from dispatcher.store.definitions.editing import Definitions

_NOBODY = hash_secret("")
"""Compared with when there is no such client; no secret has this hash that is ever asked for."""


@dataclass(frozen=True, slots=True)
class Principal:
    """One client as it is now. ``integration_id`` is set for a product host's inbound client."""

    client_id: str
    secret_hash: str
    scopes: frozenset[str]
    account_id: str | None = None
    integration_id: str | None = None
    vendor_id: str | None = None
    rate_per_s: float | None = None
    marketplaces: frozenset[int] | None = None
    public_key: str | None = None

    @property
    def stamp(self) -> str:
        """Changes when the secret or key does, so that tokens from before a rotation are recognised."""
        proof = self.public_key or self.secret_hash
        return hashlib.sha256(f"{self.client_id}\n{proof}".encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Claimant:
    """The client that a request says it is. ``refusal``: the answer where it has to be proved; None = it is."""

    principal: Principal | None
    refusal: RequestError | None


class Directory:
    """``find`` returns None for whoever is unknown, disabled or replaced by a newer pair."""

    def __init__(self, clients: ClientStore, definitions: Definitions) -> None:
        self._clients = clients
        self._definitions = definitions

    async def find(self, client_id: str) -> Principal | None:
        client, integration = await asyncio.gather(
            self._clients.get(client_id), self._definitions.integration_of_inbound(client_id)
        )
        if client is not None:
            return _of_client(client)
        return _of_inbound(client_id, integration) if integration else None


def secret_matches(principal: Principal | None, secret: str) -> bool:
    """Compare ``secret`` with the principal's, in the same time when there is no principal."""
    expected = principal.secret_hash if principal else _NOBODY
    return secrets.compare_digest(hash_secret(secret), expected) and principal is not None


def one_matches(principal: Principal | None, readings: Iterable[str]) -> bool:
    """True when one reading of the secret is the principal's; all of them are compared."""
    return sum(secret_matches(principal, secret) for secret in readings) > 0


def _of_client(client: ApiClient) -> Principal | None:
    if client.disabled:
        return None
    return Principal(
        client.client_id,
        client.secret_hash,
        client.scopes,
        account_id=client.account_id,
        vendor_id=client.vendor_id,
        rate_per_s=client.rate_per_s,
        marketplaces=frozenset(client.marketplaces) if client.marketplaces is not None else None,
        public_key=client.public_key,
    )


def _of_inbound(client_id: str, integration: Integration) -> Principal | None:
    inbound = integration.inbound_client
    if inbound is None or inbound.client_id != client_id:
        return None
    scopes = frozenset({Scope.ROLE_APPLICATION.value})
    return Principal(client_id, inbound.secret_hash, scopes, integration_id=integration.id)
