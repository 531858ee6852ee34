"""Takes every installation of an integration that was published anew along, in the background and in small rounds.

Publishing writes down that there is something to do, in its own step. A round does a few and notes how far it came, so
that a lost worker repeats a round at most, and a newer revision begins from the start. An installation with which
something else went on when its round came is written down as well, in the step in which that ends; and so are those of
an account that gets a partner connector, in the step that makes it.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog

from dispatcher.errors import DispatcherError, StoreUnavailable
from dispatcher.flow.installations.upkeep.upgrading import Upgrades
from dispatcher.model.installation import Installation, Mode
from dispatcher.model.integration import Integration
from dispatcher.policy.installing.upgrades import may_follow
from dispatcher.store.definitions.editing import Definitions
from dispatcher.store.definitions.schedule.due import DueStore
from dispatcher.store.installations.installed.installations import InstallationStore
from dispatcher.store.installations.installed.upgrade_places import UpgradePlaces
from dispatcher.store.keys import installations as keys

EVERY_S = 2 / 3
AT_ONCE = 200
"""Installations of one round: a million take less than two hours, and other work is hardly slower."""
PAUSE_MS = 1000
ASKED_MS = 5_000
"""Pause before one is looked at again whose host is asked about a step."""

log = structlog.get_logger("installations")


class UpgradeRounds:
    """One per worker; each integration is with one of them at a time. ``freed``: what may follow from now on."""

    def __init__(
        self,
        due: DueStore,
        freed: DueStore,
        places: UpgradePlaces,
        definitions: Definitions,
        store: InstallationStore,
        upgrades: Upgrades,
        now_ms: Callable[[], int],
    ) -> None:
        self._due = due
        self._freed = freed
        self._places = places
        self._definitions = definitions
        self._store = store
        self._upgrades = upgrades
        self._now_ms = now_ms

    async def once(self) -> None:
        """One round of one integration, if one is due, and whatever is free to follow by now."""
        taken = await self._freed.take(AT_ONCE)
        for installation_id in taken.ids:
            await self._catch_up(installation_id)
            await self._freed.done(installation_id, taken)
        for integration_id in (await self._due.take(1)).ids:
            integration = await self._definitions.integration(integration_id)
            number = integration.published_revision if integration else None
            if integration is None or number is None:
                await self._due.drop(integration_id)
            else:
                await self._round(integration, number)

    async def _catch_up(self, installation_id: str) -> None:
        found = await self._store.find(installation_id)
        if found is not None and found.installation.next_step is not None:
            await self._connect(found.installation)
        lane = found.installation.integration_id if found else None
        integration = await self._definitions.integration(lane) if lane else None
        if integration is not None and integration.published_revision is not None:
            await self._take_along(integration.id, integration.published_revision, [installation_id])

    async def _connect(self, installation: Installation) -> None:
        """One whose host is asked about a step just now is looked at again later."""
        if installation.pending_event_id is not None and installation.mode is not Mode.UNINSTALL:
            await self._freed.put_off(installation.id, self._now_ms() + ASKED_MS)
            return
        try:
            await self._upgrades.connect(installation)
        except StoreUnavailable:
            raise
        except DispatcherError as error:
            log.error("installation cannot go on", installation_id=installation.id, error=str(error))

    async def _round(self, integration: Integration, number: int) -> None:
        after = await self._places.place(integration.id, number)
        ids = await self._store.ids([keys.installations_of_integration(integration.id)], after, AT_ONCE)
        await self._take_along(integration.id, number, ids)
        if len(ids) == AT_ONCE:
            await self._places.note(integration.id, number, ids[-1])
            await self._due.put_off(integration.id, self._now_ms() + PAUSE_MS)
            return
        await self._places.forget(integration.id)
        await self._due.drop(integration.id)
        newest = await self._definitions.integration(integration.id)
        if newest is not None and newest.published_revision != number:
            await self._due.at(integration.id, 0)

    async def _take_along(self, integration_id: str, number: int, ids: list[str]) -> None:
        target = await self._upgrades.target(integration_id, number)
        if target is None:
            return
        for one in [stored.installation for stored in await self._store.several(ids)]:
            if not may_follow(one, number):
                continue
            try:
                await self._upgrades.move(one, target)
            except StoreUnavailable:
                raise
            except DispatcherError as error:
                log.error("installation cannot follow", installation_id=one.id, revision=number, error=str(error))
