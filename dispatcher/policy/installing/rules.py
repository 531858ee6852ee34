"""The life of an installation: what each happening makes of it, and what the outside is told. Pure.

Every transition that tells something counts ``transitions`` up. The ids of its events follow from that number, so that
whoever repeats one after a crash repeats nothing outside.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from dispatcher.ids import derived_event_id
from dispatcher.model.installation import Act, Installation, InstallStep, Mode, Moved, Person, Standing, Upgrade
from dispatcher.policy.installing.steps import opened

_AWAITED = frozenset({Act.ORDER, Act.INSTALL_STEP, Act.UNINSTALL_STEP})
"""Acts whose end decides what comes next."""

MAX_TEXT_CHARS = 1000
_LOST = "What became of its order is not known any more: ask the product host, or remove it."


@dataclass(frozen=True, slots=True)
class Moment:
    """Time of a transition, and the partition of the events of its integration."""

    now_ms: int
    partition: int = 0
    partitions: int = 1


def act_id(installation_id: str, number: int, act: Act, at: Moment) -> str:
    """The event id of what transition ``number`` makes happen."""
    return derived_event_id(at.now_ms, at.partition, f"{installation_id}:{number}:{act}")


def begun(installation: Installation, at: Moment) -> Moved:
    """A new one. Without open steps it is ordered at once."""
    return _onward(installation, at)


def step_called(installation: Installation, step: InstallStep, at: Moment) -> Moved:
    """The host is asked whether ``step`` is done."""
    return acting(replace(installation, standing_text=None), at, Act.INSTALL_STEP, step=step)


def step_refused(installation: Installation, text: str | None) -> Moved:
    """The step stays open, or completed while uninstalling, until somebody asks again."""
    words = text[:MAX_TEXT_CHARS] if text else None
    return Moved(replace(installation, pending_event_id=None, standing_text=words))


def steps_updated(installation: Installation, completed: Mapping[str, bool], at: Moment) -> Moved:
    """The host's word on steps, by their ``installer_function``. The last one completed orders it."""

    def updated(step: InstallStep) -> InstallStep:
        return replace(step, completed=completed.get(step.installer_function or "", step.completed))

    return with_steps(replace(installation, pending_event_id=None, standing_text=None), updated, at)


def with_steps(installation: Installation, change: Callable[[InstallStep], InstallStep], at: Moment) -> Moved:
    """Each step changed; when none is open any more, it is ordered."""
    return _onward(replace(installation, install=tuple(change(step) for step in installation.install)), at)


def order_ended(installation: Installation, identifier: str | None, at: Moment) -> Moved:
    """The host said yes."""
    installed = replace(
        installation,
        standing=Standing.INSTALLED,
        standing_text=None,
        pending_event_id=None,
        account_identifier=identifier or installation.account_identifier,
    )
    if installed.marketplace_id is None or installed.reported:
        return Moved(installed)
    return acting(replace(installed, reported=True), at, Act.INSTALLED)


def order_refused(installation: Installation, text: str | None) -> Moved:
    """The host said no: the same event can be sent again, which is looked out for, or the installation removed."""
    words = text[:MAX_TEXT_CHARS] if text else None
    return Moved(replace(installation, standing=Standing.REFUSED, standing_text=words))


def order_lost(installation: Installation) -> Moved:
    """Nobody will ever know how its ORDER ended."""
    return Moved(replace(order_refused(installation, _LOST).needed, pending_event_id=None))


def order_repeated(installation: Installation) -> Moved:
    """The same ORDER is sent again."""
    order = installation.order_event_id
    return Moved(
        replace(installation, standing=Standing.SETTING_UP, standing_text=None, pending_event_id=order),
    )


def ordered_elsewhere(installation: Installation, event_id: str) -> Moved:
    """Somebody else emitted its ORDER: it is never ordered twice."""
    ordered = replace(installation, order_event_id=event_id)
    if ordered.mode is Mode.SETTINGS:
        ordered = replace(ordered, standing=Standing.SETTING_UP, pending_event_id=event_id)
    return Moved(ordered)


def settings_changed(before: Installation, after: Installation, at: Moment) -> Moved:
    """A user saved other settings: the host is told, if it has the installation."""
    if before.mode is not Mode.SETTINGS or not before.active or before.integration_id is None:
        return Moved(after)
    return acting(after, at, Act.CHANGE)


def assigned(installation: Installation, person: Person, at: Moment) -> Moved:
    """Somebody uses it from now on. Asked twice, the host is told once."""
    if person.id in installation.assigned:
        return Moved(installation)
    using = replace(installation, assigned=(*installation.assigned, person.id))
    return replace(acting(using, at, Act.ASSIGN), person=person)


def unassigned(installation: Installation, person: Person, at: Moment) -> Moved:
    """Somebody uses it no more."""
    if person.id not in installation.assigned:
        return Moved(installation)
    left = tuple(one for one in installation.assigned if one != person.id)
    return replace(acting(replace(installation, assigned=left), at, Act.UNASSIGN), person=person)


def pushed(installation: Installation, revision: int | None, at: Moment) -> Moved:
    """A managed update begins: on another revision, locked until its owner says that it is done."""
    locked = replace(
        _without_upgrade(installation),
        revision=revision or installation.revision,
        update_in_progress=True,
        locked_ms=installation.locked_ms or at.now_ms,
    )
    return acting(locked, at, Act.LOCK) if _holds_events(locked) else Moved(locked)


def unlocked(installation: Installation, at: Moment) -> Moved:
    """The update is done; what was held goes on."""
    free = replace(installation, update_in_progress=False, locked_ms=None)
    return acting(free, at, Act.UNLOCK) if _holds_events(free) else Moved(free)


def upgraded(installation: Installation, at: Moment) -> Moved:
    """All that the newer revision asked for is there: it is in force. New answers are told as a change."""
    upgrade = installation.upgrade
    assert upgrade is not None
    purchase = installation.purchase
    if upgrade.answers:
        purchase = replace(purchase, configuration=purchase.configuration | upgrade.answers)
    after = replace(installation, revision=upgrade.revision, purchase=purchase, upgrade=None)
    moved = acting(after, at, Act.UPDATED)
    return replace(moved, acts=(Act.CHANGE, Act.UPDATED)) if upgrade.answers else moved


def back_from_upgrade(installation: Installation) -> Installation:
    """As it was before somebody began to answer what a newer revision asks for."""
    upgrade = installation.upgrade
    if upgrade is None or not upgrade.begun:
        return installation
    return replace(installation, install=upgrade.steps_before, upgrade=Upgrade(upgrade.revision), standing_text=None)


def _without_upgrade(installation: Installation) -> Installation:
    return replace(back_from_upgrade(installation), upgrade=None)


def followed_by(first: Moved, second: Moved) -> Moved:
    """Both as one transition: the acts of the first, then those of the second, under one number."""
    number = first.needed.transitions if first.acts else second.needed.transitions
    return Moved(replace(second.needed, transitions=number), (*first.acts, *second.acts), first.step or second.step)


def uninstalling(installation: Installation, at: Moment, *, erase: bool = False) -> Moved:
    """Steps are undone, the last one first; then the record goes. Asked again, the step that was refused is.

    An ORDER that the host refused is forgotten: there is nothing to cancel.
    """
    if installation.mode is Mode.UNINSTALL and installation.pending_event_id and not installation.standing_text:
        return Moved(installation)
    kept = _without_upgrade(installation)
    leaving = replace(
        kept,
        mode=Mode.UNINSTALL,
        standing=Standing.UNINSTALLING,
        standing_text=None,
        erase=erase or installation.erase,
        order_event_id=installation.order_event_id if installation.active else None,
    )
    return _backward(leaving, at)


def left(installation: Installation) -> Installation:
    """As it was last, when nothing of it had to be undone."""
    return replace(
        installation,
        mode=Mode.UNINSTALL,
        standing=Standing.UNINSTALLING,
        standing_text=None,
        install=opened(installation.install),
    )


def undo_later(installation: Installation, text: str | None, at: Moment, pause_ms: int) -> Moved:
    """A host that was away is asked again after a pause; somebody may ask at once, or remove it anyway."""
    words = (text or "")[:MAX_TEXT_CHARS]
    if installation.standing_text != words:
        return Moved(replace(installation, standing_text=words))
    if at.now_ms - installation.modified_ms < pause_ms:
        return Moved(installation)
    return uninstalling(installation, at)


def step_undone(installation: Installation, function: str, at: Moment) -> Moved:
    """The host undid the newest step of that function."""
    steps = list(installation.install)
    for place in reversed(range(len(steps))):
        if steps[place].completed and steps[place].uninstaller_function == function:
            steps[place] = replace(steps[place], completed=False)
            break
    return _backward(replace(installation, install=tuple(steps), pending_event_id=None), at)


def removed(installation: Installation, at: Moment) -> Moved:
    """At once, without asking the host about steps."""
    acts = [Act.UNLOCK] if installation.update_in_progress and _holds_events(installation) else []
    if installation.active and installation.integration_id is not None:
        acts.append(Act.CANCEL)
    if installation.reported:
        acts.append(Act.UNINSTALLED)
    undone = [step.name for step in installation.install if step.completed and step.uninstaller_function]
    left_behind = tuple(undone) if installation.integration_id is not None else ()
    return Moved(None, tuple(acts), erase=installation.erase, left_behind=left_behind)


def abandoned(installation: Installation, before_ms: int) -> Moved:
    """A draft that nobody has touched since then goes; one that its host is asked about stays."""
    touched = installation.modified_ms > before_ms or installation.pending_event_id is not None
    if touched or not installation.draft:
        return Moved(installation)
    return Moved(None, (Act.ABANDONED,))


def _holds_events(installation: Installation) -> bool:
    return installation.integration_id is not None and installation.account_id is not None


def _onward(installation: Installation, at: Moment) -> Moved:
    if installation.upgrade is not None and installation.upgrade.begun and installation.next_step is None:
        return upgraded(installation, at)
    if installation.mode is not Mode.INSTALL or installation.next_step is not None or not installation.smart:
        return Moved(installation)
    settled = replace(installation, mode=Mode.SETTINGS, standing_text=None)
    if settled.integration_id is None:
        return Moved(replace(settled, standing=Standing.INSTALLED))
    settled = replace(settled, standing=Standing.SETTING_UP)
    if settled.order_event_id is not None:
        return Moved(replace(settled, pending_event_id=settled.order_event_id))
    return acting(settled, at, Act.ORDER)


def _backward(installation: Installation, at: Moment) -> Moved:
    steps = list(installation.install)
    for place in reversed(range(len(steps))):
        step = steps[place]
        if step.completed and step.uninstaller_function and installation.integration_id is not None:
            return acting(replace(installation, install=tuple(steps)), at, Act.UNINSTALL_STEP, step=step)
        steps[place] = replace(step, completed=False)
    return removed(installation, at)


def acting(installation: Installation, at: Moment, act: Act, step: InstallStep | None = None) -> Moved:
    """The installation after a transition that makes ``act`` happen."""
    number = installation.transitions + 1
    after = replace(installation, transitions=number)
    if act in _AWAITED:
        event_id = act_id(after.id, number, act, at)
        after = replace(after, pending_event_id=event_id)
        if act is Act.ORDER:
            after = replace(after, order_event_id=event_id)
    return Moved(after, (act,), step)
