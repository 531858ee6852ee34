"""The parties of an installation beside the product host: its account, and the connectors there. Reads only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dispatcher.flow.installations.connectors import Connectors, Seen
from dispatcher.flow.installations.creation import Connection
from dispatcher.store.installations.accounts import AccountStore
from dispatcher.store.installations.marketplaces import MarketplaceStore
from dispatcher.store.installations.remains import Remains


@dataclass(frozen=True, slots=True)
class AccountsAndMarketplaces:
    """Facts that every transition may have to know."""

    accounts: AccountStore
    marketplaces: MarketplaceStore

    async def company_name(self, account_id: str) -> str | None:
        account = await self.accounts.find(account_id)
        return account.name or None if account else None

    async def marketplace_of(self, account_id: str) -> int | None:
        account = await self.accounts.find(account_id)
        return account.marketplace_id if account else None

    async def is_told(self, marketplace_id: int) -> bool:
        marketplace = await self.marketplaces.find(marketplace_id)
        return marketplace is not None and bool(marketplace.notification_url)


@dataclass(frozen=True, slots=True)
class Parties(AccountsAndMarketplaces):
    """One per process."""

    connectors: Connectors
    remains: Remains

    async def settings_before(self, account_id: str, product_id: str) -> Any:
        return await self.remains.settings(account_id, product_id)

    async def partner_connections(self, account_id: str) -> Sequence[Connection]:
        """Those that a host application deployed, so that nobody is asked for credentials."""
        return [_connection(one) for one in await self.connectors.of_account(account_id) if one.partner]


def _connection(seen: Seen) -> Connection:
    names = {seen.connector.name} | ({seen.template.name} if seen.template else set())
    return Connection(seen.connector.connection_id, frozenset(names))
