"""The marketplace that a one-time link leads to. Changes nothing."""

from __future__ import annotations

from dispatcher.errors import InvalidRequest, NotFound
from dispatcher.model.marketplace import Marketplace
from dispatcher.store.installations.parties.accounts import AccountStore
from dispatcher.store.installations.parties.marketplaces import MarketplaceStore


async def target_marketplace(
    marketplaces: MarketplaceStore, accounts: AccountStore, asked_id: int | None, last_of: str | None = None
) -> Marketplace:
    """The one asked for; else the only one within reach; else where the account ``last_of`` was shown last.

    ``NotFound`` for one out of reach, ``InvalidRequest`` where none is named and there are several.
    """
    if asked_id is not None:
        found = await marketplaces.find(asked_id)
        if found is None:
            raise NotFound.of("not_found", f"There is no marketplace {asked_id}.", "MarketplaceId")
        return found
    within = await marketplaces.all()
    if len(within) == 1:
        return within[0]
    account = await accounts.find(last_of) if last_of is not None else None
    last_id = account.last_marketplace_id if account else None
    last = next((one for one in within if one.id == last_id), None)
    if last is None:
        text = "Give the MarketplaceId: there is not exactly one that it can be."
        raise InvalidRequest.of("missing_field", text, "MarketplaceId")
    return last
