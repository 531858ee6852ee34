"""An integration installed into one account: its steps, mode and settings, and the table of its modes."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Mode(StrEnum):
    """``install`` until every step is completed, then ``settings``; ``uninstall`` until its record is gone."""

    INSTALL = "install"
    SETTINGS = "settings"
    UNINSTALL = "uninstall"


MODES: dict[Mode, frozenset[Mode]] = {
    Mode.INSTALL: frozenset({Mode.SETTINGS, Mode.UNINSTALL}),
    Mode.SETTINGS: frozenset({Mode.UNINSTALL}),
    Mode.UNINSTALL: frozenset(),
}
"""Each mode with those that may follow it; from ``install`` and ``uninstall`` the record may go."""


class Standing(StrEnum):
    """Progress at the product host; people are shown this rather than the mode."""

    INSTALLING = "INSTALLING"
    """Steps are open; nothing was ordered."""
    SETTING_UP = "SETTING_UP"
    """Ordered; the host has not said yes."""
    INSTALLED = "INSTALLED"
    REFUSED = "REFUSED"
    """The host said no to the order: try again, or remove."""
    NEEDS_ATTENTION = "NEEDS_ATTENTION"
    """Its credentials are refused; its deliveries are held."""
    UNINSTALLING = "UNINSTALLING"


@dataclass(frozen=True, slots=True)
class InstallStep:
    """One step, in the words of the REST API. ``connection_id`` is opaque and may name a foreign connection."""

    name: str
    description: str | None = None
    image_url: str | None = None
    install_url: str | None = None
    completed: bool = False
    installer_function: str | None = None
    uninstaller_function: str | None = None
    connection_id: str | None = None
    connection: str | None = None
    """Name of the connector template whose connector completes the step."""
    unknown: dict[str, Any] = field(default_factory=dict, hash=False)
    """Anything else that a client gave; returned as it came."""


@dataclass(frozen=True, slots=True)
class Purchase:
    """Things ordered: they travel in the ORDER event."""

    edition: str | None = None
    quantity: int | None = None
    configuration: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Upgrade:
    """A newer revision that asks for something first. Until it has that, nothing of it is in force."""

    revision: int
    begun: bool = False
    """Somebody has answered, and the installation's steps are those of the newer revision."""
    answers: dict[str, Any] = field(default_factory=dict)
    steps_before: tuple[InstallStep, ...] = ()
    """Steps to go back to."""


@dataclass(frozen=True, slots=True)
class Installation:
    """``connector_id`` None = a DIY integration: a name and a readme, no events."""

    id: str
    account_id: str | None
    name: str
    created_ms: int
    modified_ms: int
    readme: str | None = None
    description: str | None = None
    connector_id: str | None = None
    """As it was given; a definition's 24 hex, or one that nobody here knows."""
    integration_id: str | None = None
    """The definition, when ``connector_id`` is one of ours."""
    product_id: str | None = None
    revision: int | None = None
    """Published revision that it was installed from, or was last moved to."""
    install: tuple[InstallStep, ...] = ()
    packed: tuple[str, ...] = ()
    """In its record only, in the place of steps that are its template's."""
    mode: Mode = Mode.INSTALL
    settings: Any = None
    version: str | None = None
    update_in_progress: bool = False
    locked_ms: int | None = None
    account_identifier: str | None = None
    source_id: str | None = None
    purchase: Purchase = field(default_factory=Purchase)
    standing: Standing = Standing.INSTALLING
    standing_text: str | None = None
    """The host's words, where it refused."""
    order_event_id: str | None = None
    """Its one ORDER; None = nothing was ordered."""
    reported: bool = False
    """The marketplace was told that it is installed."""
    pending_event_id: str | None = None
    """The event whose end decides what comes next."""
    transitions: int = 0
    """Counted up by every transition that makes events: their ids follow from it."""
    marketplace_id: int | None = None
    complete_parameter: str | None = None
    creator: str | None = None
    """E-mail of the user who installed it."""
    exclusive: bool = False
    """Made by a page: the account has no other of its product that is."""
    assigned: tuple[str, ...] = ()
    """Ids of the users who use it."""
    apart: bool = False
    """The account is another vendor's: the host of this is told nothing of it, and the account sees nothing of this."""
    upgrade: Upgrade | None = None
    erase: bool = False
    """Erased with all that was stored for it: settings, and connectors that nothing else uses."""
    unknown: dict[str, Any] = field(default_factory=dict)
    """Top-level keys of a client that are none of ours; returned as they came."""

    @property
    def smart(self) -> bool:
        """False = a DIY integration."""
        return self.connector_id is not None

    @property
    def known_account_id(self) -> str | None:
        """The account, where whoever publishes this may know of it what is known here."""
        return None if self.apart else self.account_id

    @property
    def draft(self) -> bool:
        """Steps are open, and nobody outside has heard of an order."""
        installing = self.mode is Mode.INSTALL and self.integration_id is not None
        return installing and self.order_event_id is None

    @property
    def active(self) -> bool:
        """The product host has it, or is about to: changes and its end are told."""
        return self.order_event_id is not None and self.standing is not Standing.REFUSED

    @property
    def next_step(self) -> InstallStep | None:
        """The first that is not completed."""
        return next((step for step in self.install if not step.completed), None)


class Act(StrEnum):
    """Something that a transition makes happen outside its record."""

    ORDER = "ORDER"
    CHANGE = "CHANGE"
    CANCEL = "CANCEL"
    INSTALL_STEP = "INSTALL_STEP"
    UNINSTALL_STEP = "UNINSTALL_STEP"
    LOCK = "LOCK"
    UNLOCK = "UNLOCK"
    ASSIGN = "ASSIGN"
    """The product host is told that somebody uses it."""
    UNASSIGN = "UNASSIGN"
    INSTALLED = "INSTALLED"
    """The marketplace is told."""
    UNINSTALLED = "UNINSTALLED"
    UPDATE_AVAILABLE = "UPDATE_AVAILABLE"
    """A newer revision asks for something."""
    UPDATED = "UPDATED"
    ABANDONED = "ABANDONED"
    """Nobody went on with its steps."""


CALLBACKS = frozenset({Act.INSTALLED, Act.UNINSTALLED, Act.UPDATE_AVAILABLE, Act.UPDATED, Act.ABANDONED})


@dataclass(frozen=True, slots=True)
class Person:
    """A user as product hosts are told of one."""

    id: str
    email: str


@dataclass(frozen=True, slots=True)
class Moved:
    """An installation after a transition, None = its record is gone; and what happens with it, in this order."""

    installation: Installation | None
    acts: tuple[Act, ...] = ()
    step: InstallStep | None = None
    """The one that a step act is about."""
    person: Person | None = None
    """The person who is assigned or unassigned."""
    erase: bool = False
    """Of one that is gone: nothing is kept for another time."""
    left_behind: tuple[str, ...] = ()
    """Names of steps that its host was not asked to undo."""

    @property
    def needed(self) -> Installation:
        """The installation, where it is not gone."""
        if self.installation is None:
            raise ValueError("the record of the installation is gone")
        return self.installation
