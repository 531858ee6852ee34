"""An account's AuthValue that its product host refuses, and the new one in its place.

The refusal flags the connector, holds the account's events for that host, and tells the marketplace, once; a new value
lifts all of it. Each is written in one step, and whatever a crash leaves in the outbox a worker applies.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from dispatcher.flow.installations.states.effects import Effects
from dispatcher.ids import derived_event_id, partition_of_lane
from dispatcher.model.connector import AccountConnector
from dispatcher.model.effect import Effect, LockChange, credentials_holder
from dispatcher.model.event import Event
from dispatcher.model.event_type import EventType
from dispatcher.model.installation import Installation, Standing
from dispatcher.model.marketplace import callback_lane
from dispatcher.store.documents.swap import Document
from dispatcher.store.installations.installed import outbox
from dispatcher.store.installations.installed.installations import InstallationStore, message
from dispatcher.store.installations.parties.connectors import connector_place, put_connector
from dispatcher.store.installations.parties.marketplaces import MarketplaceStore
from dispatcher.store.installations.writing.editing import Transaction, transacted
from dispatcher.store.installations.writing.records import write
from dispatcher.store.keys import installations as keys
from dispatcher.store.redis.client import StoreClient

MAX_TEXT_CHARS = 300
MAX_INSTALLATIONS = 100
"""Of one account in one integration, whose standing is changed with the connector."""

_HELD = frozenset({Standing.INSTALLED, Standing.SETTING_UP})


@dataclass(frozen=True, slots=True)
class Reauthentication:
    """One per process."""

    redis: StoreClient
    installations: InstallationStore
    marketplaces: MarketplaceStore
    effects: Effects
    partitions: int
    now_ms: Callable[[], int]

    async def refused(self, connector_id: int, sealed_value: str, why: str) -> bool:
        """False when the value is another one by now, or was refused before: nothing is done then."""

        async def work(transaction: Transaction) -> bool:
            current = await transaction.read(connector_place(connector_id))
            if current is None or current.auth_value != sealed_value or current.needs_attention is not None:
                return False
            number, now_ms = current.transitions + 1, self.now_ms()
            flagged = replace(current, needs_attention=why[:MAX_TEXT_CHARS], transitions=number)
            await put_connector(transaction, replace(flagged, modified_ms=max(now_ms, current.modified_ms + 1)))
            affected = await self._turn(transaction, flagged, now_ms)
            told = await self._callback(flagged, affected, now_ms)
            _put_effects(transaction, flagged, [_lock(flagged, locked=True), *told], now_ms)
            return True

        done = await transacted(self.redis, work, f"Connector {connector_id}")
        if done:
            await self.effects.apply(_outbox_id(connector_id))
        return done

    async def renewed(
        self, transaction: Transaction, before: AccountConnector, after: AccountConnector
    ) -> AccountConnector:
        """As a part of the change that gives ``after`` its value: what the refusal held back goes on."""
        if before.needs_attention is None or after.needs_attention is not None:
            return after
        now_ms = self.now_ms()
        good = replace(after, transitions=before.transitions + 1)
        await self._turn(transaction, good, now_ms)
        _put_effects(transaction, good, [_lock(good, locked=False)], now_ms)
        return good

    async def let_go(self, transaction: Transaction, before: AccountConnector) -> None:
        """As a part of the change that takes the connector away: nothing is held back for it any more."""
        if before.needs_attention is None:
            return
        now_ms = self.now_ms()
        good = replace(before, needs_attention=None, transitions=before.transitions + 1)
        await self._turn(transaction, good, now_ms)
        _put_effects(transaction, good, [_lock(good, locked=False)], now_ms)

    async def applied(self, connector_id: int) -> None:
        """After that change: what it left in the outbox is done at once."""
        await self.effects.apply(_outbox_id(connector_id))

    async def _turn(self, transaction: Transaction, connector: AccountConnector, now_ms: int) -> list[Installation]:
        """The standing of what is installed through the connector; returns what was turned."""
        index = keys.installations_of_account(connector.account_id)
        found = await self.installations.several(await self.installations.ids([index], "", MAX_INSTALLATIONS))
        turned = []
        for one in found:
            before = one.installation
            if before.integration_id != connector.integration_id:
                continue
            after = _standing(before, connector.needs_attention)
            if after == before:
                continue
            moved_on = replace(after, modified_ms=max(now_ms, before.modified_ms + 1))
            transaction.write_raw(Document(keys.installation(before.id), one.record, write(moved_on, one.record)))
            transaction.announce(message(before.id))
            turned.append(moved_on)
        return turned

    async def _callback(self, connector: AccountConnector, affected: list[Installation], now_ms: int) -> list[Effect]:
        """The marketplace is told once, of the first installation that needs attention."""
        about = next((one for one in affected if one.marketplace_id is not None), None)
        marketplace_id = about.marketplace_id if about else connector.marketplace_id
        marketplace = await self.marketplaces.find(marketplace_id) if marketplace_id is not None else None
        if marketplace is None or not marketplace.notification_url:
            return []
        lane = callback_lane(marketplace.id)
        seed = f"{_outbox_id(connector.id)}:{connector.transitions}:needs_attention"
        payload = {
            "Status": "needs_attention",
            "AccountId": connector.account_id,
            "IntegrationId": about.id if about else None,
            "ProductId": about.product_id if about else None,
            "MarketplaceId": marketplace.id,
            "ConnectorId": connector.id,
            "ConnectorName": connector.name,
            "CompleteParameter": about.complete_parameter if about else None,
        }
        return [
            Event(
                id=derived_event_id(now_ms, partition_of_lane(lane, self.partitions), seed),
                type=EventType.MARKETPLACE_CALLBACK,
                integration_id=lane,
                revision=1,
                product_id=about.product_id if about else None,
                account_id=connector.account_id,
                subscription_id=about.id if about else None,
                payload=payload,
            )
        ]


def _standing(installation: Installation, why: str | None) -> Installation:
    if why is not None and installation.standing in _HELD:
        return replace(installation, standing=Standing.NEEDS_ATTENTION, standing_text=why)
    if why is None and installation.standing is Standing.NEEDS_ATTENTION:
        awaited = installation.pending_event_id is not None
        back = Standing.SETTING_UP if awaited else Standing.INSTALLED
        return replace(installation, standing=back, standing_text=None)
    return installation


def _lock(connector: AccountConnector, *, locked: bool) -> Effect:
    holder = credentials_holder(connector.id)
    lane, account_id = connector.integration_id or "", connector.account_id
    return LockChange(lane, account_id, holder, connector.transitions, locked)


def _put_effects(transaction: Transaction, connector: AccountConnector, effects: list[Effect], now_ms: int) -> None:
    entries = outbox.written(_outbox_id(connector.id), connector.transitions, effects, now_ms)
    transaction.operate(*entries)


def _outbox_id(connector_id: int) -> str:
    """In the place of an installation's id."""
    return f"connector-{connector_id}"
