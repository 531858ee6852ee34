"""Callers and the marketplaces, and through them the accounts, within their reach. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from dispatcher.model.access import Caller
from dispatcher.model.account import Account
from dispatcher.model.marketplace import Marketplace


@dataclass(frozen=True, slots=True)
class Reach:
    """None = no bound. What is out of reach does not exist for whoever asks."""

    marketplaces: frozenset[int] | None = None
    vendor_id: str | None = None
    account_id: str | None = None

    def holds(self, marketplace: Marketplace) -> bool:
        return self.holds_id(marketplace.id) and self.vendor_id in (None, marketplace.vendor_id)

    def holds_id(self, marketplace_id: int) -> bool:
        return self.marketplaces is None or marketplace_id in self.marketplaces

    def holds_account(self, account: Account) -> bool:
        """By the marketplace that it was made in."""
        return self.holds_id(account.marketplace_id) and self.account_id in (None, account.id)


def reach_of(caller: Caller) -> Reach:
    """The caller's reach: the marketplaces that it is bound to, its vendor's, its one account."""
    return Reach(caller.marketplaces, caller.vendor_id, caller.account_id)
