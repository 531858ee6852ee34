"""The catalogue of event types: which configured URL each one goes to, and its short name."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dispatcher.model.marketplace import NOTIFICATION_URL
from dispatcher.model.operational import OPERATIONS_URL


class EventType(StrEnum):
    """Every type that can be queued. The value is what a product host reads in ``type``."""

    SUBSCRIPTION_ORDER = "SUBSCRIPTION_ORDER"
    SUBSCRIPTION_CHANGE = "SUBSCRIPTION_CHANGE"
    SUBSCRIPTION_CANCEL = "SUBSCRIPTION_CANCEL"
    SUBSCRIPTION_NOTICE = "SUBSCRIPTION_NOTICE"
    SUBSCRIPTION_STATUS = "SUBSCRIPTION_STATUS"
    USER_ASSIGNMENT = "USER_ASSIGNMENT"
    USER_UNASSIGNMENT = "USER_UNASSIGNMENT"
    USER_UPDATED = "USER_UPDATED"
    ADDON_ORDER = "ADDON_ORDER"
    ADDON_CHANGE = "ADDON_CHANGE"
    ADDON_CANCEL = "ADDON_CANCEL"
    ADDON_BIND = "ADDON_BIND"
    ADDON_UNBIND = "ADDON_UNBIND"
    INSTALL_STEP = "INSTALL_STEP"
    """Asks the product host whether a step of an installation is done."""
    UNINSTALL_STEP = "UNINSTALL_STEP"
    """Asks it to undo one."""
    MARKETPLACE_CALLBACK = "MARKETPLACE_CALLBACK"
    """Tells a marketplace's host application what was installed and uninstalled; no integration configures it."""
    OPERATIONAL = "OPERATIONAL"
    """For operators, about the dispatcher itself; no integration configures it."""


@dataclass(frozen=True, slots=True)
class TypeRule:
    """The rule of one type."""

    url_field: str
    alias: str | None = None
    emitted_by_callers: bool = True
    configurable: bool = True
    """An integration may give a URL for it."""


_ADDON = TypeRule("addonNotificationUrl")

TYPE_RULES: dict[EventType, TypeRule] = {
    EventType.SUBSCRIPTION_ORDER: TypeRule("createUrl", "create"),
    EventType.SUBSCRIPTION_CHANGE: TypeRule("upgradeUrl", "upgrade"),
    EventType.SUBSCRIPTION_CANCEL: TypeRule("cancelUrl", "cancel"),
    EventType.SUBSCRIPTION_NOTICE: TypeRule("notifyUrl", "notify"),
    EventType.SUBSCRIPTION_STATUS: TypeRule("eventStatusUrl", "status", emitted_by_callers=False),
    EventType.USER_ASSIGNMENT: TypeRule("assignUrl", "assign"),
    EventType.USER_UNASSIGNMENT: TypeRule("unassignUrl", "unassign"),
    EventType.USER_UPDATED: TypeRule("userUpdatedUrl"),
    EventType.ADDON_ORDER: _ADDON,
    EventType.ADDON_CHANGE: _ADDON,
    EventType.ADDON_CANCEL: _ADDON,
    EventType.ADDON_BIND: _ADDON,
    EventType.ADDON_UNBIND: _ADDON,
    EventType.INSTALL_STEP: TypeRule("createUrl", emitted_by_callers=False, configurable=False),
    EventType.UNINSTALL_STEP: TypeRule("cancelUrl", emitted_by_callers=False, configurable=False),
    EventType.MARKETPLACE_CALLBACK: TypeRule(NOTIFICATION_URL, emitted_by_callers=False, configurable=False),
    EventType.OPERATIONAL: TypeRule(OPERATIONS_URL, emitted_by_callers=False, configurable=False),
}

URL_FIELDS: tuple[str, ...] = tuple(dict.fromkeys(rule.url_field for rule in TYPE_RULES.values() if rule.configurable))

STEP_TYPES: frozenset[EventType] = frozenset({EventType.INSTALL_STEP, EventType.UNINSTALL_STEP})
"""Calls about one step of an installation: tried once, in a group of their own, reported to no status URL."""

NOTICE_TYPES: frozenset[str] = frozenset({"DEACTIVATED", "REACTIVATED", "CLOSED", "UPCOMING_INVOICE"})

_BY_NAME: dict[str, EventType] = {kind.value: kind for kind in EventType} | {
    rule.alias: kind for kind, rule in TYPE_RULES.items() if rule.alias
}
_BY_LOWER_NAME: dict[str, EventType] = {name.lower(): kind for name, kind in _BY_NAME.items()}


def parse_event_type(name: str) -> EventType | None:
    """The type of a full name (``SUBSCRIPTION_ORDER``) or a short one (``create``), in any case; else None."""
    return _BY_NAME.get(name) or _BY_LOWER_NAME.get(name.lower())


def emittable_names() -> list[str]:
    """Every name that ``POST /v1/events`` takes, short names first."""
    rules = [(kind, rule) for kind, rule in TYPE_RULES.items() if rule.emitted_by_callers]
    return [rule.alias for _, rule in rules if rule.alias] + [kind.value for kind, _ in rules]
