"""Tokens for one account: ``scope=account:{AccountId}``, for partners that reach it. Looks up; grants nothing."""

from __future__ import annotations

from dataclasses import dataclass

from dispatcher.api.oauth.directory import Principal
from dispatcher.model.access import ACCOUNT_SCOPES, Scope, effective
from dispatcher.policy.installing.marketplace_access import Reach
from dispatcher.store.installations.parties.accounts import AccountStore
from dispatcher.store.installations.parties.marketplaces import MarketplaceStore

PREFIX = "account:"


@dataclass(frozen=True, slots=True)
class Narrowed:
    """The one account of a token, and the marketplace through which it is reached."""

    account_id: str
    marketplace_id: int


@dataclass(frozen=True, slots=True)
class Accounts:
    """The stores that accounts are looked up in."""

    accounts: AccountStore
    marketplaces: MarketplaceStore

    async def narrowed(self, principal: Principal | None, scope: str) -> Narrowed | None:
        """The account that ``scope`` names, if it names one that the client may narrow a token to."""
        account_id = named_account(scope)
        if account_id is None or principal is None or not _may_narrow(principal):
            return None
        bound = Reach(principal.marketplaces, principal.vendor_id, principal.account_id)
        reach = await self.marketplaces.within(bound).reach()
        account = await self.accounts.within(reach).find(account_id)
        return Narrowed(account.id, account.marketplace_id) if account else None


def named_account(scope: str) -> str | None:
    """The account that a scope is narrowed to; None also where it names two."""
    named = [one.removeprefix(PREFIX) for one in scope.split() if one.startswith(PREFIX)]
    return named[0] if len(named) == 1 and named[0] else None


def is_narrowing(scope: str) -> bool:
    return any(one.startswith(PREFIX) for one in scope.split())


def narrowed_scope(scope: str) -> str | None:
    """The scopes of a token for one account; None when more is asked for than such a token may hold."""
    named = [one for one in scope.split() if one.startswith(PREFIX)]
    asked = {one for one in scope.split() if not one.startswith(PREFIX)}
    allowed = {one.value for one in ACCOUNT_SCOPES}
    return " ".join([*named, *sorted(asked or allowed)]) if asked <= allowed else None


def still_reaches(principal: Principal, narrowed: Narrowed) -> bool:
    """True when the client could be given such a token now, as far as its own record says."""
    bound = principal.marketplaces
    return _may_narrow(principal) and (bound is None or narrowed.marketplace_id in bound)


def _may_narrow(principal: Principal) -> bool:
    return Scope.MARKETPLACE_PARTNER in effective(principal.scopes)
