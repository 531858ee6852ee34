"""Everything that is done with installations, for REST and for pages: list, look, make, change, remove.

Narrowed to what exists for the caller; which of several rules applies is decided by ``policy.installing.access``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dispatcher.errors import Unprocessable
from dispatcher.flow.installations.making.changing import Changer, Replacement
from dispatcher.flow.installations.making.creation import Asked, Cloning, Creation
from dispatcher.flow.installations.states.following import Follower
from dispatcher.flow.installations.states.steps import StepCalls, StepResult
from dispatcher.flow.installations.states.transitions import Cause, Transitions, modified, no_such_installation
from dispatcher.flow.installations.upkeep.upgrading import Upgrades
from dispatcher.model.access import Caller
from dispatcher.model.installation import Installation, Moved
from dispatcher.model.precondition import Precondition
from dispatcher.policy.installing.access import reaches_installation, writer_of
from dispatcher.policy.installing.rules import Moment, left, removed
from dispatcher.policy.reach import reaches_integration
from dispatcher.store.definitions.cache.definitions import DefinitionCache
from dispatcher.store.definitions.editing import Definitions
from dispatcher.store.installations.installed.installations import InstallationStore, Stored
from dispatcher.store.keys import installations as keys

PAGE = 1000


@dataclass(frozen=True, slots=True)
class InstallationPage:
    """Oldest first. ``after`` of the next page; None = there is no more."""

    items: list[Installation]
    after: str | None


class Installer:
    """One per process."""

    def __init__(
        self,
        store: InstallationStore,
        definitions: Definitions,
        cache: DefinitionCache,
        transitions: Transitions,
        creation: Creation,
        calls: StepCalls,
        follower: Follower,
        upgrades: Upgrades,
    ) -> None:
        self._store = store
        self._definitions = definitions
        self._cache = cache
        self.transitions = transitions
        self._creation = creation
        self.seals = creation.seals
        self._calls = calls
        self.follower = follower
        self.upgrades = upgrades

    async def list(self, caller: Caller, after: str = "", limit: int = PAGE) -> InstallationPage:
        """Installations that exist for the caller, behind the id ``after``."""
        ids = await self._store.ids(await self._indexes(caller), after, limit + 1)
        found = await self._store.several(ids[:limit])
        reached = [one.installation for one in found if await self._reaches(caller, one.installation)]
        return InstallationPage(reached, ids[limit - 1] if len(ids) > limit else None)

    async def get(self, caller: Caller, installation_id: str) -> Installation:
        """Raises ``NotFound`` for what does not exist for the caller."""
        return (await self._stored(caller, installation_id)).installation

    async def find(self, installation_id: str) -> Installation | None:
        """Found whosever it is: for a request that is repeated."""
        found = await self._store.find(installation_id)
        return found.installation if found else None

    async def exclusive(self, account_id: str, product_id: str) -> Installation | None:
        """The one of that product that a page has installed into the account."""
        installation_id = await self._store.exclusive(account_id, product_id)
        return await self.find(installation_id) if installation_id else None

    async def create(self, caller: Caller, installation_id: str, asked: Asked, cause: Cause) -> Installation:
        """Raises ``Unprocessable`` with everything that is wrong, ``Conflict`` when the id is taken."""
        integration = await self._cache.integration(asked.connector_id) if asked.connector_id else None
        if not reaches_integration(caller, integration):
            text = "This client is bound to one vendor: name one of its integrations."
            raise Unprocessable.of("invalid_reference", text, "_connectorId")
        asked = replace(asked, vendor_id=caller.vendor_id)
        return self._followed(await self._creation.create(installation_id, asked, integration, cause))

    async def clone(
        self, caller: Caller, source_id: str, installation_id: str, cloning: Cloning, cause: Cause
    ) -> Installation:
        source = await self.get(caller, source_id)
        return self._followed(await self._creation.clone(installation_id, source, cloning, cause))

    async def check_step(self, caller: Caller, installation_id: str, function: str, cause: Cause) -> StepResult:
        """Ask the product host whether the step of that ``installerFunction`` is done.

        Raises ``NotFound``, and ``Unprocessable`` for a step that is not the next one.
        """
        await self.get(caller, installation_id)
        result = await self._calls.check(installation_id, function, cause)
        self._followed(result.installation)
        return result

    async def change(
        self, caller: Caller, installation_id: str, wanted: Replacement, expected: Precondition | None, cause: Cause
    ) -> Installation:
        """As it is afterwards; as it was last when the change removed it."""
        current = await self.get(caller, installation_id)
        changer = Changer(wanted, writer_of(caller), self.seals)

        def decide(found: Installation, at: Moment) -> Moved:
            _check_expected(found, expected)
            return changer.decide(found, at)

        after = await self.transitions.change(installation_id, decide, cause)
        return self._followed(after or left(current))

    async def upgrade(
        self, caller: Caller, installation_id: str, answers: Mapping[str, Any], cause: Cause
    ) -> Installation:
        """To the newer revision that waits for these answers. ``NotFound``, ``Conflict``, ``Unprocessable``."""
        current = await self.get(caller, installation_id)
        return await self.upgrades.accept(current, answers, cause)

    async def stay(self, caller: Caller, installation_id: str, cause: Cause) -> Installation:
        """Back from an update that was begun."""
        return await self.upgrades.decline(await self.get(caller, installation_id), cause)

    async def delete(self, caller: Caller, installation_id: str, expected: Precondition | None, cause: Cause) -> None:
        """At once; the host is told if it has the installation."""
        await self.get(caller, installation_id)

        def decide(found: Installation, at: Moment) -> Moved:
            _check_expected(found, expected)
            return removed(found, at)

        await self.transitions.change(installation_id, decide, cause)

    def _followed(self, installation: Installation) -> Installation:
        self.follower.follow(installation)
        return installation

    async def _stored(self, caller: Caller, installation_id: str) -> Stored:
        found = await self._store.find(installation_id)
        if found is None or not await self._reaches(caller, found.installation):
            raise no_such_installation()
        return found

    async def _reaches(self, caller: Caller, installation: Installation) -> bool:
        lane = installation.integration_id
        integration = await self._cache.integration(lane) if lane and caller.vendor_id is not None else None
        return reaches_installation(caller, installation, integration)

    async def _indexes(self, caller: Caller) -> Sequence[str]:
        if caller.account_id is not None:
            return [keys.installations_of_account(caller.account_id)]
        if caller.vendor_id is not None:
            lanes = await self._definitions.ids_of_vendor(caller.vendor_id)
            return [keys.installations_of_integration(lane) for lane in lanes]
        return [keys.INSTALLATIONS]


def _check_expected(found: Installation, expected: Precondition | None) -> None:
    if expected is not None and not expected(found.modified_ms):
        raise modified(found.id)
