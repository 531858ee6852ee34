"""One class for each event type. ``document`` is the whole notification as it came, for what a newer server adds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from dispatcher.errors import DispatcherError
from dispatcher.model.payload import (
    Account,
    AddonBinding,
    AddonInstance,
    Company,
    Notice,
    Order,
    Reported,
    User,
)

Json = dict[str, Any]


class UnreadableEvent(DispatcherError):
    """Genuine, and not of the form of a notification; the text names the field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Every notification. ``id`` is the webhook-id; ``sequence`` counts an account's events from 1.

    ``cloud_event``: attributes of the CloudEvent in which it came (``format: CLOUDEVENTS``), such as ``traceparent``.
    """

    id: str
    type: str
    document: Json = field(repr=False)
    event_url: str | None = None
    sequence: int = 0
    timestamp: str | None = None
    flag: str | None = None
    product_id: str | None = None
    account_id: str | None = None
    subscription_id: str | None = None
    creator: Json | None = None
    cloud_event: Json | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketplaceEvent(Event):
    """An event of a marketplace. A part that its type is about is never None, but may be empty."""

    user: User | None = None
    company: Company | None = None
    account: Account | None = None
    addon_instance: AddonInstance | None = None
    addon_binding: AddonBinding | None = None
    order: Order | None = None
    notice: Notice | None = None
    configuration: Json = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionOrder(MarketplaceEvent):
    """A customer bought the product: answer with the identifier of the account that was made."""

    order: Order


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionChange(MarketplaceEvent):
    order: Order


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionCancel(MarketplaceEvent):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionNotice(MarketplaceEvent):
    notice: Notice


@dataclass(frozen=True, slots=True, kw_only=True)
class UserAssignment(MarketplaceEvent):
    user: User


@dataclass(frozen=True, slots=True, kw_only=True)
class UserUnassignment(MarketplaceEvent):
    user: User


@dataclass(frozen=True, slots=True, kw_only=True)
class UserUpdated(MarketplaceEvent):
    user: User


@dataclass(frozen=True, slots=True, kw_only=True)
class AddonOrder(MarketplaceEvent):
    order: Order


@dataclass(frozen=True, slots=True, kw_only=True)
class AddonChange(MarketplaceEvent):
    addon_instance: AddonInstance
    order: Order


@dataclass(frozen=True, slots=True, kw_only=True)
class AddonCancel(MarketplaceEvent):
    addon_instance: AddonInstance


@dataclass(frozen=True, slots=True, kw_only=True)
class AddonBind(MarketplaceEvent):
    addon_instance: AddonInstance


@dataclass(frozen=True, slots=True, kw_only=True)
class AddonUnbind(MarketplaceEvent):
    addon_instance: AddonInstance
    addon_binding: AddonBinding


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionStatus(Event):
    """Another event ended, or awaits its result."""

    event: Reported
    account: Account | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallStep(Event):
    """Is this step of an installation done? Sent once. ``bearer_token`` is good for one request about it."""

    function: str
    integration_id: str
    step: Json
    connection_id: str | None = None
    bearer_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class UninstallStep(InstallStep):
    """Undo this step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketplaceCallback(Event):
    """For host applications. ``integration_id`` is the installation's."""

    status: str
    integration_id: str
    marketplace_id: int | None = None
    complete_parameter: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationalNotice(Event):
    """For operators, about the dispatcher itself, such as the ``kind`` ``circuit.opened``."""

    kind: str
    data: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownEvent(Event):
    """Of a type that a newer server sends."""
