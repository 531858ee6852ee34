"""The parts of a payload, as JSON. Every field may be absent or null: marketplaces send what they have.

Fields that a marketplace adds of its own pass through.
"""

from __future__ import annotations

from typing import Any, TypedDict


class User(TypedDict, total=False):
    uuid: str | None
    email: str | None
    firstName: str | None
    lastName: str | None
    language: str | None
    locale: str | None
    attributes: dict[str, Any] | None


class Company(TypedDict, total=False):
    uuid: str | None
    name: str | None
    email: str | None
    phoneNumber: str | None
    website: str | None
    country: str | None


class Account(TypedDict, total=False):
    """``accountIdentifier``: your name for the account, as you answered it to the order."""

    accountIdentifier: str | None
    parentAccountIdentifier: str | None
    status: str | None


class AddonInstance(TypedDict, total=False):
    id: str | int | None


class AddonBinding(TypedDict, total=False):
    id: str | int | None


class Item(TypedDict, total=False):
    unit: str | None
    quantity: float | None


class Order(TypedDict, total=False):
    editionCode: str | None
    addonOfferingCode: str | None
    pricingDuration: str | None
    items: list[Item] | None


class Notice(TypedDict, total=False):
    type: str | None
    message: str | None


class Payload(TypedDict, total=False):
    """The payload that a marketplace emits. The catalogue says which parts its type needs."""

    user: User | None
    company: Company | None
    account: Account | None
    addonInstance: AddonInstance | None
    addonBinding: AddonBinding | None
    order: Order | None
    notice: Notice | None
    configuration: dict[str, Any]


class EventError(TypedDict):
    code: str
    message: str | None


class Reported(TypedDict):
    """The event that a SUBSCRIPTION_STATUS reports on."""

    id: str
    type: str
    status: str
    attempts: int
    error: EventError | None
