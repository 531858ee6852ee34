"""For product hosts: verifies notifications, reads them as typed events, does work once, answers, reports later.

Needs ``cryptography`` and ``orjson``; ``for_aiohttp`` and ``results`` need aiohttp as well. Never imports the server.
"""

from dispatcher.receiver.answers import Answer, ErrorCode, busy, later, pending, refused, succeeded
from dispatcher.receiver.events import (
    AddonBind,
    AddonCancel,
    AddonChange,
    AddonOrder,
    AddonUnbind,
    Event,
    InstallStep,
    MarketplaceCallback,
    MarketplaceEvent,
    OperationalNotice,
    SubscriptionCancel,
    SubscriptionChange,
    SubscriptionNotice,
    SubscriptionOrder,
    SubscriptionStatus,
    UninstallStep,
    UnknownEvent,
    UnreadableEvent,
    UserAssignment,
    UserUnassignment,
    UserUpdated,
)
from dispatcher.receiver.reading import read_event
from dispatcher.receiver.receiving import Receiver
from dispatcher.receiver.repeats import MemoryRepeats, RedisRepeats, Repeats
from dispatcher.receiver.verifying import NotGenuine, Verifier, published_keys

__all__ = [
    "AddonBind",
    "AddonCancel",
    "AddonChange",
    "AddonOrder",
    "AddonUnbind",
    "Answer",
    "ErrorCode",
    "Event",
    "InstallStep",
    "MarketplaceCallback",
    "MarketplaceEvent",
    "MemoryRepeats",
    "NotGenuine",
    "OperationalNotice",
    "Receiver",
    "RedisRepeats",
    "Repeats",
    "SubscriptionCancel",
    "SubscriptionChange",
    "SubscriptionNotice",
    "SubscriptionOrder",
    "SubscriptionStatus",
    "UninstallStep",
    "UnknownEvent",
    "UnreadableEvent",
    "UserAssignment",
    "UserUnassignment",
    "UserUpdated",
    "Verifier",
    "busy",
    "later",
    "pending",
    "published_keys",
    "read_event",
    "refused",
    "succeeded",
]
