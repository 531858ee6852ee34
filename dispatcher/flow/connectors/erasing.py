"""Takes connectors away: one that somebody deletes, and those of an app that was uninstalled for good.

Nothing that is installed loses its connector. What goes with an app waits until the product host has been told, which
may need it, and is tried again for as long as it takes. Contents of the app's events go with it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from dispatcher.errors import Conflict, DispatcherError, NotFound, StoreUnavailable
from dispatcher.flow.connectors.reauthentication import Reauthentication
from dispatcher.flow.installations.states.effects import Effects
from dispatcher.flow.installations.upkeep.forgetting import Forgetting
from dispatcher.model.connector import AccountConnector
from dispatcher.model.installation import Installation
from dispatcher.store.audit_log.log import Noting
from dispatcher.store.definitions.schedule.due import DueStore
from dispatcher.store.installations.installed.installations import InstallationStore
from dispatcher.store.installations.installed.remains import Erasure
from dispatcher.store.installations.parties.connectors import ConnectorStore, connector_place, remove_connector
from dispatcher.store.installations.writing.editing import Transaction, transacted
from dispatcher.store.keys import installations as keys
from dispatcher.store.queue.events import QueueStore

EVERY_S = 1.0
AT_ONCE = 50
LOOKED_AT = 1000
"""Installations of one account among which the users of a connector are looked for."""
_SOONEST_MS = 2_000
_OPEN_EVENTS_MS = 60_000
"""Pause before events that had not ended are looked at again."""

log = structlog.get_logger("installations")


@dataclass(frozen=True, slots=True)
class ConnectorRemoval:
    """One per process."""

    store: ConnectorStore
    installations: InstallationStore
    reauthentication: Reauthentication

    async def remove(self, account_id: str, connector_id: int, noting: Noting | None = None) -> None:
        """``NotFound`` also for another account's; ``Conflict`` while something installed uses it."""

        async def work(transaction: Transaction) -> None:
            current = await transaction.read(connector_place(connector_id))
            if current is None or current.account_id != account_id:
                raise NotFound.of("not_found", f"There is no connector {connector_id} in this account.", "Id")
            if (user := await self._user_of(current)) is not None:
                text = f"{user.name} ({user.id}) uses this connector: uninstall it first."
                raise Conflict.of("still_used", text, "Id")
            await self.reauthentication.let_go(transaction, current)
            await remove_connector(transaction, current)

        await transacted(self.store.redis, work, f"Connector {connector_id}", noting)
        await self.reauthentication.applied(connector_id)

    async def _user_of(self, connector: AccountConnector) -> Installation | None:
        if connector.integration_id is None:
            return None
        index = keys.installations_of_account(connector.account_id)
        found = await self.installations.several(await self.installations.ids([index], "", LOOKED_AT))
        mine = (one.installation for one in found)
        return next((one for one in mine if one.integration_id == connector.integration_id), None)


@dataclass(frozen=True, slots=True)
class Erasing:
    """One per worker; what is due goes to one of them, and doing it twice changes nothing."""

    due: DueStore
    effects: Effects
    queue: QueueStore
    removal: ConnectorRemoval
    forgetting: Forgetting
    now_ms: Callable[[], int]

    async def once(self) -> None:
        """One round."""
        for member in (await self.due.take(AT_ONCE)).ids:
            erasure = Erasure.read(member)
            try:
                if await self._is_told(erasure):
                    await self._erase(erasure)
                    await self._forget(erasure, member)
                else:
                    await self.due.put_off(member, self.now_ms() + _SOONEST_MS)
            except StoreUnavailable:
                raise
            except DispatcherError as error:
                log.error("not erased yet", account_id=erasure.account_id, error=str(error))

    async def _forget(self, erasure: Erasure, member: str) -> None:
        """A page of events, and note how far it came; what has not ended is looked at again later."""
        rest = await self.forgetting.some(erasure)
        if rest is None:
            await self.due.drop(member)
            return
        again_ms = 0 if rest.cursor else self.now_ms() + _OPEN_EVENTS_MS
        await self.due.at(rest.member, again_ms)
        if rest.member != member:
            await self.due.drop(member)

    async def _is_told(self, erasure: Erasure) -> bool:
        event_id = erasure.cancel_event_id
        if event_id is None:
            return True
        await self.effects.apply(erasure.installation_id)
        stored = await self.queue.get(event_id)
        return stored is None or stored.state.consumed

    async def _erase(self, erasure: Erasure) -> None:
        """But for what was installed again meanwhile."""
        for connector in await self.removal.store.of_account(erasure.account_id):
            if connector.integration_id != erasure.integration_id:
                continue
            try:
                await self.removal.remove(erasure.account_id, connector.id)
            except (Conflict, NotFound) as kept:
                log.info("connector stays", connector_id=connector.id, reason=str(kept))
