"""The parties of an installation beside the product host: its account, and its marketplace. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dispatcher.store.installations.installed.remains import Remains
from dispatcher.store.installations.parties.accounts import AccountStore
from dispatcher.store.installations.parties.marketplaces import MarketplaceStore


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

    async def is_apart(self, account_id: str, vendor_id: str | None) -> bool:
        """True of an account that was made in a marketplace of another vendor."""
        home = await self.marketplace_of(account_id) if vendor_id is not None else None
        marketplace = await self.marketplaces.find(home) if home is not None else None
        return marketplace is not None and marketplace.vendor_id not in (None, vendor_id)

    async def is_told(self, marketplace_id: int) -> bool:
        marketplace = await self.marketplaces.find(marketplace_id)
        return marketplace is not None and bool(marketplace.notification_url)


@dataclass(frozen=True, slots=True)
class Parties(AccountsAndMarketplaces):
    """One per process."""

    remains: Remains

    async def settings_before(self, account_id: str, product_id: str) -> Any:
        return await self.remains.settings(account_id, product_id)
