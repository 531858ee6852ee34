"""Adds to a delivery what the account's connector says, from memory or from the store; tells the store of refusals.

Asked only for integrations of which some account has a connector or an installation.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from dispatcher.clock import Clock
from dispatcher.errors import StoreUnavailable
from dispatcher.flow.connectors.reauthentication import Reauthentication
from dispatcher.flow.connectors.renewing import is_due
from dispatcher.model.connector import AccountConnector, ConnectorAuth
from dispatcher.policy.installing.account_access import AccountAccess, approach
from dispatcher.policy.installing.connector_auth import auth_header
from dispatcher.store.definitions.cache.definitions import MAX_AGE_S
from dispatcher.store.definitions.cache.expiring import ExpiringCache
from dispatcher.store.installations.parties.connectors import ConnectorStore, chosen, connector_message
from dispatcher.store.secrets.fields import connector_auth_value
from dispatcher.store.secrets.sealing import Sealer
from worker.delivery.delivery import Delivery
from worker.oauth.renewal import FINAL, Renewer
from worker.oauth.values import TokenFailure

REFUSED = "the product host refused the credentials (401)"
CAPACITY = 20_000
"""Accounts that are kept."""

_PREFIX = connector_message("")


class Found(NamedTuple):
    """An account's connector to one integration's host, as it is stored and opened."""

    connector: AccountConnector
    access: AccountAccess


OfIntegrations = Mapping[str, Found]


class AccountLookup:
    """One per process; ``invalidate`` and ``clear`` are told of changes."""

    def __init__(
        self,
        store: ConnectorStore,
        sealer: Sealer,
        *,
        capacity: int = CAPACITY,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._sealer = sealer
        self._known: ExpiringCache[str, OfIntegrations] = ExpiringCache(capacity, MAX_AGE_S, now)
        self._changes = 0

    async def find(self, integration_id: str, account_id: str) -> Found | None:
        """The account's connector to that integration's host; None = it has none. Raises ``SealError``."""
        known = self._known.get(account_id)
        if known is None:
            known = await self._load(account_id)
        return known.get(integration_id)

    def invalidate(self, message: str) -> None:
        """Forget an account whose connectors have changed."""
        if message.startswith(_PREFIX):
            self._changes += 1
            self._known.drop(message.removeprefix(_PREFIX))

    def clear(self) -> None:
        self._changes += 1
        self._known.clear()

    async def _load(self, account_id: str) -> OfIntegrations:
        """Use what is read while something changes, and keep it not."""
        changes = self._changes
        found = chosen(await self._store.of_account(account_id))
        opened = {integration_id: self.opened(one) for integration_id, one in found.items()}
        return self._known.put(account_id, opened) if changes == self._changes else opened

    def opened(self, connector: AccountConnector) -> Found:
        """Raises ``SealError``."""
        return Found(connector, self._access(connector))

    def _access(self, connector: AccountConnector) -> AccountAccess:
        properties = {one.name: one.value for one in connector.properties}
        kind, sealed = connector.auth_kind, connector.auth_value
        if not sealed or kind in (None, ConnectorAuth.NONE):
            return AccountAccess(connector.id, properties)
        value = self._sealer.open(sealed, connector_auth_value(connector.id))
        header = auth_header(kind, value)
        return AccountAccess(connector.id, properties, header, value, sealed, frozenset(connector.origins))


@dataclass(frozen=True, slots=True)
class Accounts:
    """Questions of deliveries to the accounts' connectors, and news of them."""

    lookup: AccountLookup
    reauthentication: Reauthentication
    renewer: Renewer
    clock: Clock

    async def lead(self, delivery: Delivery, account_id: str) -> None:
        """Send it to the account's own host, with what authorizes there, where the account has a connector."""
        integration_id = delivery.target.integration.id
        found = await self.lookup.find(integration_id, account_id)
        if found is None:
            return
        problem = None
        if is_due(found.connector, self.clock.now_ms()):
            renewed = await self.renewer.renewed(found.connector)
            if isinstance(renewed, TokenFailure):
                problem = await self._unrenewed(found, renewed)
                delivery.refused = renewed.code in FINAL
            else:
                found = self.lookup.opened(renewed)
        way = approach(found.access, delivery.url)
        delivery.approach = way if problem is None else replace(way, problem=problem)
        delivery.url, delivery.elsewhere = way.url, way.own_host
        delivery.teaches = way.header is None and not way.own_host

    async def _unrenewed(self, found: Found, failure: TokenFailure) -> str | None:
        """A token that still serves is used; one that never will be renewed waits for the user."""
        if failure.code in FINAL:
            await self._refuse(found.access, failure.detail)
        elif (found.connector.expires_ms or 0) > self.clock.now_ms():
            return None
        return f"nothing was sent, the access token could not be renewed: {failure.detail}"

    async def refused(self, delivery: Delivery) -> None:
        """The host does not take the account's value: its events wait for another, unless the store is away."""
        access = delivery.approach.access if delivery.approach else None
        if access is None:
            return
        delivery.refused = True
        if not await self._has_newer(delivery, access):
            await self._refuse(access, REFUSED)

    async def _has_newer(self, delivery: Delivery, access: AccountAccess) -> bool:
        """True if a renewal gave the account another token, with which the event is tried again."""
        account_id = delivery.claimed.event.account_id or ""
        found = await self.lookup.find(delivery.target.integration.id, account_id)
        if found is None or found.access.sealed != access.sealed or found.connector.refresh_token is None:
            return False
        return not isinstance(await self.renewer.renewed(found.connector), TokenFailure)

    async def _refuse(self, access: AccountAccess, why: str) -> None:
        with contextlib.suppress(StoreUnavailable):
            await self.reauthentication.refused(access.connector_id, access.sealed, why)
