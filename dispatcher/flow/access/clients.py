"""API clients made, changed, rotated and disabled. Nobody gives or takes what they have not themselves.

REST and pages call this one. A secret is in clear in what is returned here, and nowhere afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from dispatcher.errors import NotFound, Refused, Unprocessable
from dispatcher.model.access import ADMIN_SCOPES, ApiClient, Caller
from dispatcher.model.precondition import Precondition
from dispatcher.model.roles import ROLES, Role, problem_with
from dispatcher.policy.client_rights import excess
from dispatcher.policy.secrets.assertion_key import KeyUnreadable
from dispatcher.policy.secrets.client_key import kept_key
from dispatcher.store.access.clients import ClientChange, ClientStore, renewed
from dispatcher.store.installations.parties.marketplaces import MarketplaceStore

MOST_SHOWN = 20
_GIVEN = "You can only give what your own client has"
_BEYOND = "This client may do more than yours, which can therefore not change it"


@dataclass(frozen=True, slots=True)
class ClientDesk:
    """``default_rate_per_s``: of clients without a rate of their own; 0 = any."""

    clients: ClientStore
    caller: Caller
    default_rate_per_s: float

    async def create(self, wanted: ApiClient) -> tuple[ApiClient, str]:
        """The new client and its secret, "" with a public key; id and hash are made. Raises ``Refused``."""
        self._check(wanted, _GIVEN)
        return await self.clients.create(
            wanted.scopes,
            wanted.name,
            wanted.account_id,
            wanted.created_ms,
            vendor_id=wanted.vendor_id,
            rate_per_s=wanted.rate_per_s,
            marketplaces=wanted.marketplaces,
            public_key=wanted.public_key,
        )

    async def change(self, client_id: str, change: ClientChange, expected: Precondition | None = None) -> ApiClient:
        """Raises ``NotFound``, ``Conflict``; ``Refused`` for rights beyond the caller's, before or after."""

        def within_rights(before: ApiClient) -> ApiClient:
            self._check(before, _BEYOND)
            after = change(before)
            self._check(after, _GIVEN)
            return after

        client = await self.clients.edit(client_id, within_rights, expected)
        if client is None:
            raise no_such_client()
        return client

    async def rotate(
        self, client_id: str, expected: Precondition | None = None, public_key: str | None = None
    ) -> tuple[ApiClient, str]:
        """The client and its new secret, "" with ``public_key``; tokens of the old one are refused within seconds."""
        change, secret = renewed(public_key)
        return await self.change(client_id, change, expected), secret

    async def disable(self, client_id: str, expected: Precondition | None = None) -> ApiClient:
        """Its tokens are refused within seconds."""
        return await self.change(client_id, lambda client: replace(client, disabled=True), expected)

    def _check(self, client: ApiClient, rule: str) -> None:
        """Raises ``Refused`` for what the client may do and the caller may not."""
        if found := excess(self.caller, client, self.default_rate_per_s):
            raise Refused([replace(one, message=f"{rule}. {one.message}") for one in found])


def scopes_of(
    role: Role | None,
    scopes: Iterable[str],
    *,
    account_id: str | None,
    vendor_id: str | None,
    marketplaces: Sequence[int] | None,
) -> frozenset[str]:
    """All that a new client is given: the role's scopes and the further ones. Raises ``Unprocessable``."""
    if role is None:
        return known(frozenset(scopes))
    problem = problem_with(role, account_id=account_id, vendor_id=vendor_id, marketplaces=marketplaces)
    if problem:
        raise Unprocessable.of("invalid_value", f"{problem[0].upper()}{problem[1:]}.", "role")
    return known(frozenset(scope.value for scope in ROLES[role].scopes) | frozenset(scopes))


def known(scopes: frozenset[str]) -> frozenset[str]:
    """The scopes, where API clients can have each of them. Raises ``Unprocessable``."""
    there_are = frozenset(scope.value for scope in ADMIN_SCOPES)
    if unknown := sorted(scopes - there_are):
        text = f"There is no scope {unknown[0]!r} for API clients; use {', '.join(sorted(there_are))}."
        raise Unprocessable.of("unknown_scope", text, "scopes")
    if not scopes:
        raise Unprocessable.of("missing_field", "Give scopes, a role, or both.", "scopes")
    return scopes


def public_key_of(text: str | None) -> str | None:
    """A PEM or JWK text as a client's record keeps it. Raises ``Unprocessable``, which repeats nothing of it."""
    try:
        return kept_key(text) if text is not None else None
    except KeyUnreadable as error:
        raise Unprocessable.of("invalid_public_key", f"This key cannot be used: {error}.", "publicKey") from None


async def require_marketplaces(ids: Iterable[int], marketplaces: MarketplaceStore) -> None:
    """Raises ``Unprocessable`` for numbers that people mistyped, with those that there are.

    Not asked over REST, where a program may make the client of a marketplace before it.
    """
    there = {one.id: one.name for one in await marketplaces.all()}
    unknown = [one for one in ids if one not in there]
    if unknown:
        shown = ", ".join(f"{number} ({name})" for number, name in list(there.items())[:MOST_SHOWN])
        known = f"those that there are: {shown}" if there else "there is none yet, POST /v1/marketplaces makes one"
        raise Unprocessable.of("invalid_reference", f"There is no marketplace {unknown[0]}; {known}.", "marketplaces")


def no_such_client() -> NotFound:
    return NotFound.of("not_found", "There is no such client; list them with GET /v1/clients.")
