"""A full replacement of an installation by a client: what it may say, and what comes of what it says. Writes nothing.

What only the dispatcher keeps survives being left out. A user may name it unchanged; an owner may end an update, give a
higher version, and set steps.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from dispatcher.errors import Problem, Unprocessable
from dispatcher.flow.installations.making.setting_seals import SettingSeals
from dispatcher.model.installation import Installation, InstallStep, Mode, Moved
from dispatcher.policy.installing.access import Writer
from dispatcher.policy.installing.rules import (
    Moment,
    followed_by,
    settings_changed,
    uninstalling,
    unlocked,
    with_steps,
)
from dispatcher.policy.installing.steps import laid_over
from dispatcher.policy.installing.versions import is_higher

LOCKED = "A managed update is in progress: repeat it when that is done."
LOCKED_KEYS = frozenset({"connectionMap"})
"""Besides the settings, what no user changes while a managed update is in progress."""


@dataclass(frozen=True, slots=True)
class Replacement:
    """A PUT as it was sent. ``given`` names what it has; the rest is left out."""

    name: str
    given: frozenset[str]
    readme: str | None = None
    description: str | None = None
    settings: Any = None
    version: str | None = None
    mode: Mode | None = None
    update_in_progress: bool | None = None
    erase: bool = False
    """With the mode ``uninstall``: what was stored for it goes, too."""
    install: tuple[tuple[InstallStep, bool | None], ...] = ()
    """Each step with whether it is completed; None = as it is."""
    fixed: dict[str, Any] = field(default_factory=dict)
    """Fields that nobody changes, by their names outside, as they were given."""
    unknown: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Changer:
    """One replacement by one writer, decided anew for each state that it may meet."""

    wanted: Replacement
    writer: Writer
    seals: SettingSeals

    def decide(self, current: Installation, at: Moment) -> Moved:
        """Raises ``Unprocessable`` with everything that is wrong, and changes nothing then."""
        settings = self._settings(current)
        problems = [*self._fixed_problems(current), *self._locked_problems(current, settings)]
        problems += self._user_problems(current) if self.writer is Writer.USER else self._owner_problems(current)
        if problems:
            raise Unprocessable(problems)
        plain = self._plain(current, settings)
        if not current.smart:
            return Moved(plain)
        if self.wanted.mode is Mode.UNINSTALL:
            return uninstalling(plain, at, erase=self.wanted.erase)
        return self._smart(current, plain, at)

    def _plain(self, current: Installation, settings: Any) -> Installation:
        wanted = self.wanted
        plain = replace(
            current,
            name=wanted.name,
            readme=wanted.readme,
            description=wanted.description,
            unknown=wanted.unknown,
        )
        if not current.smart:
            return plain
        kept = "version" not in wanted.given and (self.writer is Writer.USER or current.update_in_progress)
        version = current.version if kept else wanted.version
        return replace(plain, settings=settings, version=version)

    def _smart(self, current: Installation, plain: Installation, at: Moment) -> Moved:
        if self.writer is Writer.USER:
            return Moved(plain) if same(current.settings, plain.settings) else settings_changed(current, plain, at)
        moved = Moved(plain)
        if "install" in self.wanted.given:
            laid = laid_over(current.install, self.wanted.install)
            moved = with_steps(replace(plain, install=laid), lambda step: step, at)
        return followed_by(moved, unlocked(moved.needed, at)) if self._ends_update(current) else moved

    def _settings(self, current: Installation) -> Any:
        if not current.smart:
            return None
        return self.seals.sealed(self.wanted.settings, current.settings, current.id)

    def _ends_update(self, current: Installation) -> bool:
        return current.update_in_progress and self.wanted.update_in_progress is False

    def _fixed_problems(self, current: Installation) -> list[Problem]:
        kept = {
            "_accountId": current.account_id,
            "_connectorId": current.connector_id,
            "accountIdentifier": current.account_identifier,
            "publishedRevision": current.revision,
            "_sourceId": current.source_id,
        }
        problems = [_read_only(name) for name, value in self.wanted.fixed.items() if value != kept[name]]
        mode = self.wanted.mode
        if current.smart and mode not in (None, current.mode, Mode.UNINSTALL):
            problems.append(_read_only("mode"))
        return problems

    def _locked_problems(self, current: Installation, settings: Any) -> list[Problem]:
        if not current.update_in_progress or self.writer is Writer.OWNER:
            return []
        changed = [] if same(current.settings, settings) else ["settings"]
        changed += [key for key in LOCKED_KEYS if not same(current.unknown.get(key), self.wanted.unknown.get(key))]
        return [Problem("update_in_progress", LOCKED, name) for name in changed]

    def _user_problems(self, current: Installation) -> list[Problem]:
        if not current.smart:
            return []
        wanted = self.wanted
        problems = []
        if "version" in wanted.given and wanted.version != current.version:
            problems.append(_read_only("version"))
        if wanted.update_in_progress not in (None, current.update_in_progress):
            problems.append(_read_only("updateInProgress"))
        if "install" in wanted.given:
            problems += _step_problems(current.install, laid_over(current.install, wanted.install))
        return problems

    def _owner_problems(self, current: Installation) -> list[Problem]:
        if not current.smart:
            return []
        version = self.wanted.version
        if self.wanted.update_in_progress is True and not current.update_in_progress:
            text = "An update begins with PUT /v1/connectors/{_connectorId}/update."
            return [Problem("read_only_field", text, "updateInProgress")]
        if self._ends_update(current) and (version is None or not is_higher(version, current.version)):
            text = f"An update ends with a higher version than {current.version or 'none'}: give it with this change."
            return [Problem("version_not_higher", text, "version")]
        lower = version is not None and version != current.version and not is_higher(version, current.version)
        return [Problem("version_not_higher", f"Give a higher one than {current.version}.", "version")] if lower else []


def _step_problems(before: tuple[InstallStep, ...], wanted: tuple[InstallStep, ...]) -> list[Problem]:
    if len(before) == len(wanted) and before != wanted:
        pairs = list(enumerate(zip(before, wanted, strict=True)))
        if all(replace(new, completed=old.completed) == old for _, (old, new) in pairs):
            return [_read_only(f"install.{at}.completed") for at, (old, new) in pairs if old != new]
    return [] if before == wanted else [_read_only("install")]


def same(one: Any, other: Any) -> bool:
    """True of two that are the same JSON: the order of keys does not matter, 1 is 1.0 and not true."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return bool(one == other)


def _read_only(name: str) -> Problem:
    return Problem("read_only_field", f"{name} cannot be changed here: leave it out, or give it as it is.", name)
