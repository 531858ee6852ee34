"""People's words for types and statuses. The constants stand where somebody copies them."""

from __future__ import annotations

from dispatcher.model.event_type import EventType
from dispatcher.model.status import Status

TYPE_WORDS: dict[EventType, str] = {
    EventType.SUBSCRIPTION_ORDER: "Subscription ordered",
    EventType.SUBSCRIPTION_CHANGE: "Subscription changed",
    EventType.SUBSCRIPTION_CANCEL: "Subscription cancelled",
    EventType.SUBSCRIPTION_NOTICE: "Subscription notice",
    EventType.SUBSCRIPTION_STATUS: "Status reported",
    EventType.USER_ASSIGNMENT: "User assigned",
    EventType.USER_UNASSIGNMENT: "User unassigned",
    EventType.USER_UPDATED: "User updated",
    EventType.ADDON_ORDER: "Add-on ordered",
    EventType.ADDON_CHANGE: "Add-on changed",
    EventType.ADDON_CANCEL: "Add-on cancelled",
    EventType.ADDON_BIND: "Add-on bound",
    EventType.ADDON_UNBIND: "Add-on unbound",
    EventType.INSTALL_STEP: "Install step",
    EventType.UNINSTALL_STEP: "Uninstall step",
    EventType.MARKETPLACE_CALLBACK: "Marketplace told",
    EventType.OPERATIONAL: "Operators told",
}

STATUS_WORDS: dict[Status, str] = {
    Status.QUEUED: "queued",
    Status.HELD: "held",
    Status.DELIVERING: "under way",
    Status.RETRYING: "retrying",
    Status.AWAITING_RESULT: "awaiting result",
    Status.SUCCEEDED: "delivered",
    Status.FAILED: "refused by host",
    Status.DEAD: "dead letter",
    Status.EXPIRED: "no result in time",
    Status.SKIPPED: "skipped",
    Status.RESOLVED: "resolved",
}

STATUS_LOOKS: dict[Status, str] = {
    Status.SUCCEEDED: "ok",
    Status.DELIVERING: "run",
    Status.RETRYING: "warn",
    **dict.fromkeys((Status.QUEUED, Status.HELD, Status.AWAITING_RESULT), "wait"),
    **dict.fromkeys((Status.DEAD, Status.FAILED, Status.EXPIRED), "bad"),
}
"""Colour of a status; any other has none."""
