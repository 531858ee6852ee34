"""Managed updates: a publisher moves installations of its integration to the newest revision, all of them or none.

Until its owner says that an update is done, settings of an installation are locked and its account's events are held.
"""

from __future__ import annotations

from collections.abc import Sequence

from dispatcher.errors import NotFound, Problem, Unprocessable
from dispatcher.flow.installations.installer import PAGE, InstallationPage
from dispatcher.flow.installations.states.transitions import Cause, Transitions
from dispatcher.model.access import Caller
from dispatcher.model.installation import Installation, Mode, Moved
from dispatcher.model.integration import Integration
from dispatcher.policy.installing.rules import Moment, pushed
from dispatcher.policy.reach import reaches_integration
from dispatcher.store.definitions.cache.definitions import DefinitionCache
from dispatcher.store.installations.installed.installations import InstallationStore
from dispatcher.store.keys import installations as keys

MOST = 1000
"""Installations that are moved at once."""
MAX_PROBLEMS = 20


class Updates:
    """One per process."""

    def __init__(self, store: InstallationStore, cache: DefinitionCache, transitions: Transitions) -> None:
        self._store = store
        self._cache = cache
        self._transitions = transitions

    async def push(
        self, caller: Caller, connector_id: str, installation_ids: Sequence[str], cause: Cause
    ) -> tuple[Integration, list[Installation]]:
        """The integration, and its installations on the published revision, locked.

        Raises ``NotFound`` for an integration that does not exist for the caller, and ``Unprocessable`` with every id
        that is none of its installations; nothing is changed then. Works without a newer revision, too.
        """
        integration = await self._owned(caller, connector_id)
        ids = list(dict.fromkeys(installation_ids))
        if problems := await self._foreign(integration, ids):
            raise Unprocessable(problems)
        number = integration.published_revision

        def move(current: Installation, at: Moment) -> Moved:
            return pushed(current, number, at)

        return integration, await self._transitions.change_all(ids, move, cause)

    async def install_base(self, caller: Caller, connector_id: str, after: str, limit: int = PAGE) -> InstallationPage:
        """Every installation of the integration, oldest first."""
        integration = await self._owned(caller, connector_id)
        index = keys.installations_of_integration(integration.id)
        ids = await self._store.ids([index], after, limit + 1)
        found = await self._store.several(ids[:limit])
        return InstallationPage([one.installation for one in found], ids[limit - 1] if len(ids) > limit else None)

    async def _owned(self, caller: Caller, connector_id: str) -> Integration:
        integration = await self._cache.integration(connector_id)
        if integration is None or caller.account_id is not None or not reaches_integration(caller, integration):
            raise NotFound.of("not_found", "There is no such connector; its id is an integration's.", "_connectorId")
        return integration

    async def _foreign(self, integration: Integration, ids: Sequence[str]) -> list[Problem]:
        if not 0 < len(ids) <= MOST:
            return [Problem("out_of_range", f"Name 1 to {MOST} installations.", "_integrationIds")]
        found = {one.installation.id: one.installation for one in await self._store.several(ids)}
        text = "This is no installation of the connector that could be updated."
        foreign = [at for at, one in enumerate(ids) if not _is_updatable(found.get(one), integration)]
        return [Problem("invalid_reference", text, f"_integrationIds.{at}") for at in foreign[:MAX_PROBLEMS]]


def _is_updatable(installation: Installation | None, integration: Integration) -> bool:
    if installation is None or installation.mode is Mode.UNINSTALL:
        return False
    return installation.integration_id == integration.id
