"""An ORDER that a marketplace backend emits for an account that is known here: what it orders is installed with it.

Installation and event are one step, so that neither is there without the other. An installation is never ordered twice:
one that waits for its steps takes this ORDER for its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from dispatcher.errors import Conflict
from dispatcher.flow.installations.states.effects import Effects
from dispatcher.ids import derived_installation_id, event_ms
from dispatcher.model.account import Account
from dispatcher.model.event import Event
from dispatcher.model.installation import Installation, Mode, Purchase, Standing
from dispatcher.policy.installing.rules import ordered_elsewhere
from dispatcher.store.definitions.cache.definitions import DefinitionCache
from dispatcher.store.installations.installed.installations import TRIES, InstallationStore, Stored, Written
from dispatcher.store.installations.installed.outbox import Outbox
from dispatcher.store.installations.parties.accounts import AccountStore
from dispatcher.store.installations.parties.marketplaces import MarketplaceStore
from dispatcher.store.keys import installations as keys
from dispatcher.store.queue.events import QueueStore
from dispatcher.store.redis.client import StoreClient

LOOKED_AT = 1000
"""Installations of one account among which the ordered one is looked for."""
BELIEVED_S = 1.0
"""Time for which a deployment without marketplaces is believed to have no accounts."""


class OrdersElsewhere:
    """One per process. Costs nothing where there is no marketplace."""

    def __init__(
        self,
        store: InstallationStore,
        effects: Effects,
        accounts: AccountStore,
        marketplaces: MarketplaceStore,
        cache: DefinitionCache,
        now_ms: Callable[[], int],
    ) -> None:
        self._store = store
        self._effects = effects
        self._accounts = accounts
        self._marketplaces = marketplaces
        self._cache = cache
        self._now_ms = now_ms
        self._nobody_until_s = 0.0

    @classmethod
    def over(
        cls, redis: StoreClient, queue: QueueStore, cache: DefinitionCache, now_ms: Callable[[], int]
    ) -> OrdersElsewhere:
        """The same over one store, for whoever accepts events."""
        store, effects = InstallationStore(redis, cache.revision), Effects(Outbox(redis), queue)
        return cls(store, effects, AccountStore(redis), MarketplaceStore(redis), cache, now_ms)

    async def before(self, event: Event) -> Event:
        """The event to accept: that of its installation, which is written now, or as it came."""
        account = await self._account(event)
        if account is None:
            return event
        for _ in range(TRIES):
            written, ordered = await self._decided(event, account)
            if written is None or await self._store.write([written], self._now_ms()):
                return ordered
        raise Conflict.of("modified_meanwhile", "The account's installations keep changing: repeat it in a second.")

    async def check(self, event: Event) -> None:
        """Raises ``Conflict`` for an order of what the account has; writes nothing."""
        if (account := await self._account(event)) is not None:
            await self._decided(event, account)

    async def after(self, event: Event) -> None:
        """The queue has it."""
        if event.subscription_id is not None:
            await self._effects.apply(event.subscription_id)

    async def _account(self, event: Event) -> Account | None:
        """The account that the event is for in earnest, if it is known here."""
        now_s = asyncio.get_running_loop().time()
        if event.flag or event.account_id is None or now_s < self._nobody_until_s:
            return None
        if not await self._marketplaces.any():
            self._nobody_until_s = now_s + BELIEVED_S
            return None
        account = await self._accounts.find(event.account_id)
        return None if account is None or await self._is_apart(account, event) else account

    async def _is_apart(self, account: Account, event: Event) -> bool:
        """True of another vendor's account than the product's: nobody is to learn from an order that it is there."""
        home = await self._marketplaces.find(account.marketplace_id)
        if home is None or home.vendor_id is None:
            return False
        integration = await self._cache.integration(event.integration_id)
        return integration is not None and integration.vendor_id not in (None, home.vendor_id)

    async def _decided(self, event: Event, account: Account) -> tuple[Written | None, Event]:
        ids = await self._store.ids([keys.installations_of_account(account.id)], "", LOOKED_AT)
        mine = [one for one in await self._store.several(ids) if _is_ordered_by(one.installation, event)]
        repeated = next((one for one in mine if one.installation.order_event_id == event.id), None)
        if repeated is not None:
            return None, _of(event, repeated.installation.id)
        waiting = next((one for one in mine if one.installation.order_event_id is None), None)
        if waiting is not None:
            return self._taken(waiting, event)
        if mine:
            _refuse_second(event, mine[0].installation)
            return None, event
        return await self._installed(event, account)

    def _taken(self, waiting: Stored, event: Event) -> tuple[Written, Event]:
        ordered = _of(event, waiting.installation.id)
        moved = ordered_elsewhere(waiting.installation, event.id)
        return Written(waiting, moved.installation, (ordered,)), ordered

    async def _installed(self, event: Event, account: Account) -> tuple[Written | None, Event]:
        integration = await self._cache.integration(event.integration_id)
        if integration is None:
            return None, event
        now_ms = self._now_ms()
        made = Installation(
            id=derived_installation_id(event_ms(event.id), event.id),
            account_id=account.id,
            name=integration.name,
            created_ms=now_ms,
            modified_ms=now_ms,
            connector_id=integration.connector_id,
            integration_id=integration.id,
            product_id=event.product_id,
            revision=event.revision,
            mode=Mode.SETTINGS,
            standing=Standing.SETTING_UP,
            purchase=_purchase(event.payload or {}),
            order_event_id=event.id,
            pending_event_id=event.id,
            exclusive=True,
            marketplace_id=account.marketplace_id,
            creator=_email(event.creator),
        )
        ordered = _of(event, made.id)
        return Written(None, made, (ordered,)), ordered


def _is_ordered_by(installation: Installation, event: Event) -> bool:
    if installation.integration_id != event.integration_id or installation.mode is Mode.UNINSTALL:
        return False
    if event.subscription_id == installation.id:
        return True
    return installation.product_id == event.product_id


def _refuse_second(event: Event, installed: Installation) -> None:
    """Orders of another subscription, and of what its host refused, pass as they came."""
    if event.subscription_id in (None, installed.id) and installed.standing is not Standing.REFUSED:
        text = (
            f"The account has this product already, as {installed.id}: emit a change for it, or give the "
            "subscriptionId of another subscription."
        )
        raise Conflict.of("already_ordered", text, "productId")


def _of(event: Event, installation_id: str) -> Event:
    """A subscription id that its emitter gave is kept."""
    return event if event.subscription_id is not None else event._replace(subscription_id=installation_id)


def _purchase(payload: dict[str, Any]) -> Purchase:
    order, configuration = payload.get("order"), payload.get("configuration")
    edition = order.get("editionCode") if isinstance(order, dict) else None
    items = order.get("items") if isinstance(order, dict) else None
    first = items[0] if isinstance(items, list) and items else items
    quantity = first.get("quantity") if isinstance(first, dict) else None
    return Purchase(
        edition if isinstance(edition, str) else None,
        quantity if isinstance(quantity, int) and not isinstance(quantity, bool) else None,
        configuration if isinstance(configuration, dict) else {},
    )


def _email(creator: dict[str, Any] | None) -> str | None:
    email = (creator or {}).get("email")
    return email if isinstance(email, str) else None
