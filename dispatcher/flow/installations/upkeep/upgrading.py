"""Takes installations to a newer revision: at once where it asks for nothing, else when a customer has answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from dispatcher.errors import Conflict, Unprocessable
from dispatcher.flow.installations.making.partner_connectors import PartnerConnectors
from dispatcher.flow.installations.states.transitions import Cause, Transitions
from dispatcher.model.installation import Installation, InstallStep, Moved
from dispatcher.model.integration import OrderFormField, Revision
from dispatcher.policy.installing.purchase_forms import answer_problems
from dispatcher.policy.installing.rules import Moment, with_steps
from dispatcher.policy.installing.upgrades import (
    Target,
    accept,
    decline,
    fields_asked,
    follow,
    may_follow,
    steps_asked,
    waits_for_steps,
)

_NOBODYS = Cause()


class Revisions(Protocol):
    """Knows what is published."""

    async def revision(self, integration_id: str, number: int) -> Revision | None: ...


@dataclass(frozen=True, slots=True)
class Offer:
    """A newer revision, and what it asks for."""

    revision: int
    fields: tuple[OrderFormField, ...]
    steps: tuple[InstallStep, ...]


class Upgrades:
    """One per process."""

    def __init__(self, cache: Revisions, transitions: Transitions, partners: PartnerConnectors) -> None:
        self._cache = cache
        self._transitions = transitions
        self._partners = partners

    async def move(self, installation: Installation, target: Target) -> Installation | None:
        """To that revision, if it asks for nothing new, else that is offered. None = it is gone by now.

        Asked again, nothing changes.
        """
        target = await self._connected(installation, target)

        def decide(current: Installation, at: Moment) -> Moved:
            return follow(current, target, at)

        return await self._transitions.change(installation.id, decide, _NOBODYS)

    async def connect(self, installation: Installation) -> Installation | None:
        """With each open step done that a partner connector of the account completes by now. None = it is gone."""
        steps = installation.install
        completed = await self._partners.completed(installation.known_account_id, steps)
        done = {old: new for old, new in zip(steps, completed, strict=True) if new.completed and not old.completed}

        def decide(current: Installation, at: Moment) -> Moved:
            if not done or not waits_for_steps(current):
                return Moved(current)
            return with_steps(current, lambda step: done.get(step, step), at)

        return await self._transitions.change(installation.id, decide, _NOBODYS)

    async def offer(self, installation: Installation) -> Offer | None:
        """The revision that waits for answers; None = there is none."""
        target = await self._offered(installation)
        if target is None:
            return None
        return Offer(target.number, fields_asked(installation, target), steps_asked(installation, target))

    async def accept(self, installation: Installation, answers: Mapping[str, Any], cause: Cause) -> Installation:
        """``Conflict`` where nothing is offered; ``Unprocessable`` with each answer that is missing or wrong."""
        target = await self._offered(installation)
        if target is None:
            raise _none_offered()

        def decide(current: Installation, at: Moment) -> Moved:
            if current.upgrade is None or not may_follow(current, target.number):
                raise _none_offered()
            if problems := answer_problems(fields_asked(current, target), answers, required=True):
                raise Unprocessable(problems)
            return accept(current, target, answers, at)

        return await self._transitions.change(installation.id, decide, cause) or installation

    async def decline(self, installation: Installation, cause: Cause) -> Installation:
        """Forget the answers; the revision in force goes on."""
        return await self._transitions.change(installation.id, lambda one, _: decline(one), cause) or installation

    async def target(self, integration_id: str | None, number: int) -> Target | None:
        revision = await self._cache.revision(integration_id, number) if integration_id else None
        return Target.of(revision) if revision else None

    async def _offered(self, installation: Installation) -> Target | None:
        upgrade = installation.upgrade
        target = await self.target(installation.integration_id, upgrade.revision) if upgrade else None
        return await self._connected(installation, target) if target else None

    async def _connected(self, installation: Installation, target: Target) -> Target:
        return replace(target, steps=await self._partners.completed(installation.known_account_id, target.steps))


def _none_offered() -> Conflict:
    return Conflict.of("no_update", "There is no update that waits for anybody: read the installation again.", "_id")
