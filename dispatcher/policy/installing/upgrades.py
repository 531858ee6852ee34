"""Moves from a revision to a newer one: what that asks an installation for, and what becomes of it. Pure.

A revision that asks for nothing new is in force at once. Another one waits, and the old one goes on, until somebody has
answered what is new in its purchase form and every new step is done; whoever goes back before that finds all as it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from dispatcher.model.installation import Act, Installation, InstallStep, Mode, Moved, Standing, Upgrade
from dispatcher.model.integration import OrderFormField, Revision
from dispatcher.policy.installing.rules import Moment, acting, back_from_upgrade, upgraded
from dispatcher.policy.installing.steps import carried_over, opened

_FOLLOWS = frozenset({Standing.INSTALLED, Standing.NEEDS_ATTENTION})
_NOTHING = (None, "")


@dataclass(frozen=True, slots=True)
class Target:
    """A published revision. Steps that the account's own connectors complete may be completed."""

    number: int
    steps: tuple[InstallStep, ...] = ()
    fields: tuple[OrderFormField, ...] = ()
    """Those that need an answer."""

    @classmethod
    def of(cls, revision: Revision) -> Target:
        needed = revision.order_form_fields if revision.order_require_form_fields else ()
        required = tuple(one for one in needed if one.required)
        return cls(revision.number, opened(revision.install_template), required)


def is_free(installation: Installation) -> bool:
    """True if it may follow a newer revision: it is installed, and nothing else goes on with it."""
    if installation.revision is None or installation.mode is not Mode.SETTINGS:
        return False
    busy = installation.update_in_progress or installation.pending_event_id is not None
    return installation.standing in _FOLLOWS and not busy


def may_follow(installation: Installation, number: int) -> bool:
    """True if it is free, and behind that revision."""
    return is_free(installation) and installation.revision is not None and installation.revision < number


def waits_for_steps(installation: Installation) -> bool:
    """True while steps are open, and its host is asked about none."""
    open_ones = installation.integration_id is not None and installation.next_step is not None
    return open_ones and installation.mode is not Mode.UNINSTALL and installation.pending_event_id is None


def fields_asked(installation: Installation, target: Target) -> tuple[OrderFormField, ...]:
    """Those of the newer form that it has no answer to."""
    answers = installation.purchase.configuration
    return tuple(one for one in target.fields if answers.get(one.name) in _NOTHING)


def steps_asked(installation: Installation, target: Target) -> tuple[InstallStep, ...]:
    """Those of the newer template that are not done."""
    return tuple(step for step in _steps(installation, target) if not step.completed)


def follow(installation: Installation, target: Target, at: Moment) -> Moved:
    """Moved at once, or the newer revision is offered; the host application is told of either, once."""
    if not may_follow(installation, target.number):
        return Moved(installation)
    if not fields_asked(installation, target) and not steps_asked(installation, target):
        return _begun(installation, target, {}, at)
    known = installation.upgrade
    if known is not None and known.revision == target.number:
        return Moved(installation)
    offered = replace(back_from_upgrade(installation), upgrade=Upgrade(target.number))
    return acting(offered, at, Act.UPDATE_AVAILABLE)


def accept(installation: Installation, target: Target, answers: Mapping[str, Any], at: Moment) -> Moved:
    """Somebody wants it, with these answers. It is in force when no step is open."""
    asked = {one.name for one in fields_asked(installation, target)}
    return _begun(installation, target, {name: one for name, one in answers.items() if name in asked}, at)


def decline(installation: Installation) -> Moved:
    """Back to the revision that is in force; the newer one can be taken later."""
    return Moved(back_from_upgrade(installation))


def _begun(installation: Installation, target: Target, answers: dict[str, Any], at: Moment) -> Moved:
    before = back_from_upgrade(installation)
    steps = _steps(installation, target)
    upgrade = Upgrade(target.number, begun=True, answers=answers, steps_before=before.install)
    begun = replace(before, install=steps, upgrade=upgrade)
    return Moved(begun) if begun.next_step is not None else upgraded(begun, at)


def _steps(installation: Installation, target: Target) -> tuple[InstallStep, ...]:
    """A template without any says nothing about those that the installation has."""
    before = back_from_upgrade(installation).install
    return carried_over(before, target.steps) if target.steps else before
