"""The parties of an installation beside the product host: its account, and the connectors there. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dispatcher.flow.installations.connectors import Connectors, Seen
from dispatcher.flow.installations.creation import Connection
from dispatcher.store.installations.accounts import AccountStore


@dataclass(frozen=True, slots=True)
class Companies:
    """The accounts alone."""

    accounts: AccountStore

    async def company_name(self, account_id: str) -> str | None:
        account = await self.accounts.find(account_id)
        return account.name or None if account else None


@dataclass(frozen=True, slots=True)
class Parties(Companies):
    """One per process."""

    connectors: Connectors

    async def partner_connections(self, account_id: str) -> Sequence[Connection]:
        """Those that a host application deployed, so that nobody is asked for credentials."""
        return [_connection(one) for one in await self.connectors.of_account(account_id) if one.partner]


def _connection(seen: Seen) -> Connection:
    names = {seen.connector.name} | ({seen.template.name} if seen.template else set())
    return Connection(seen.connector.connection_id, frozenset(names))
