"""Takes an installation from one state to the next: read, decide, write with its effects, then apply those.

What is decided is decided again when somebody else was faster. Whatever a crash leaves in the outbox, a worker applies
within seconds, under the same ids.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from dispatcher.errors import Conflict, NotFound, RequestError
from dispatcher.flow.installations.states.effects import Effects
from dispatcher.flow.installations.states.messages import effects_of, moment_of
from dispatcher.model.installation import CALLBACKS, Act, Installation, Moved
from dispatcher.policy.installing.rules import Moment
from dispatcher.store.audit_log.log import Noting
from dispatcher.store.installations.installed.installations import TRIES, InstallationStore, Stored, Written, moved_on

Decide = Callable[[Installation, Moment], Moved]


class Surroundings(Protocol):
    """Knows the accounts that installations belong to, and the marketplaces that they were installed through."""

    async def company_name(self, account_id: str) -> str | None:
        """None = nobody here knows the account."""

    async def is_told(self, marketplace_id: int) -> bool:
        """True where the marketplace has a URL for callbacks."""


@dataclass(frozen=True, slots=True)
class Cause:
    """By whom and why something changes. ``noting`` None: nobody's action, as when a host answers."""

    noting: Noting | None = None
    user: str | None = None
    """E-mail of the user who does it."""


class Transitions:
    """One per process."""

    def __init__(
        self,
        store: InstallationStore,
        effects: Effects,
        surroundings: Surroundings,
        partitions: int,
        now_ms: Callable[[], int],
    ) -> None:
        self._store = store
        self._effects = effects
        self._surroundings = surroundings
        self._partitions = partitions
        self.now_ms = now_ms

    async def create(self, installation: Installation, begin: Decide, cause: Cause) -> Installation:
        """A new one, under its id. ``Conflict`` (already_exists) when there is one of that id."""
        for _ in range(TRIES):
            now_ms = self.now_ms()
            at = moment_of(installation, self._partitions, now_ms)
            moved = begin(installation, at)
            written = await self._written(None, moved, at, cause)
            if await self._store.write([written], now_ms, cause.noting):
                await self._effects.apply(installation.id)
                return moved.installation or installation
            if await self._is_taken(installation):
                raise Conflict.of("already_exists", f"There is an integration {installation.id} already.", "_id")
        raise modified(installation.id)

    async def change(self, installation_id: str, decide: Decide, cause: Cause) -> Installation | None:
        """The installation as it is afterwards, None = its record is gone.

        Raises ``NotFound``, and what ``decide`` raises. A decision that changes nothing writes nothing.
        """
        for _ in range(TRIES):
            stored = await self._store.find(installation_id)
            if stored is None:
                raise no_such_installation()
            now_ms = self.now_ms()
            at = moment_of(stored.installation, self._partitions, now_ms)
            moved = decide(stored.installation, at)
            if moved.installation == stored.installation:
                return moved.installation
            written = await self._written(stored, moved, at, cause)
            if await self._store.write([written], now_ms, cause.noting):
                await self._effects.apply(installation_id)
                return moved_on(written, now_ms)
        raise modified(installation_id)

    async def change_all(self, installation_ids: Sequence[str], decide: Decide, cause: Cause) -> list[Installation]:
        """The same for several in one step: all of them change, or none."""
        for _ in range(TRIES):
            stored = await self._store.several(installation_ids)
            if len(stored) != len(installation_ids):
                raise no_such_installation()
            now_ms = self.now_ms()
            changes = []
            for one in stored:
                at = moment_of(one.installation, self._partitions, now_ms)
                changes.append(await self._written(one, decide(one.installation, at), at, cause))
            if await self._store.write(changes, now_ms, cause.noting):
                for installation_id in installation_ids:
                    await self._effects.apply(installation_id)
                return [after for change in changes if (after := moved_on(change, now_ms)) is not None]
        raise modified(installation_ids[0])

    async def _is_taken(self, installation: Installation) -> bool:
        """Its id, or its place as the one of its account and product; else its definition was edited meanwhile."""
        if await self._store.find(installation.id) is not None:
            return True
        account_id, product_id = installation.account_id or "", installation.product_id or ""
        return installation.exclusive and await self._store.exclusive(account_id, product_id) is not None

    async def _written(self, before: Stored | None, moved: Moved, at: Moment, cause: Cause) -> Written:
        about = moved.installation or (before.installation if before else None)
        assert about is not None
        known = before.installation if before else None
        name = None
        if Act.ORDER in moved.acts and about.known_account_id:
            name = await self._surroundings.company_name(about.known_account_id)
        if not CALLBACKS.isdisjoint(moved.acts) and not await self._is_told(about):
            moved = replace(moved, acts=tuple(act for act in moved.acts if act not in CALLBACKS))
        effects = effects_of(known, moved, at, company_name=name, by=cause.user)
        return Written(before, moved.installation, effects, erase=moved.erase)

    async def _is_told(self, about: Installation) -> bool:
        return about.marketplace_id is not None and await self._surroundings.is_told(about.marketplace_id)


def no_such_installation() -> RequestError:
    return NotFound.of("not_found", "There is no such integration; list them with GET /v1/integrations.", "_id")


def modified(installation_id: str) -> RequestError:
    text = f"{installation_id} keeps being changed by others: read it again, then repeat."
    return Conflict.of("modified_meanwhile", text, "_id")
