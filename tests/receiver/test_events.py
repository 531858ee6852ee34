"""Events of the receiver are those of the catalogue, and what is not of their form is named."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from dispatcher.catalogue.parts import PARTS
from dispatcher.catalogue.samples import sample_payload
from dispatcher.catalogue.schemas import ENTRIES
from dispatcher.model import payload as parts
from dispatcher.model.event import Event as QueuedEvent
from dispatcher.model.event import EventState
from dispatcher.model.event_type import TYPE_RULES, EventType
from dispatcher.model.status import Status
from dispatcher.policy.answers.outcome import ERROR_CODES
from dispatcher.policy.notification.body import build_body
from dispatcher.receiver import (
    ErrorCode,
    Event,
    InstallStep,
    MarketplaceCallback,
    MarketplaceEvent,
    OperationalNotice,
    SubscriptionOrder,
    SubscriptionStatus,
    UninstallStep,
    UnknownEvent,
    UnreadableEvent,
    read_event,
)
from dispatcher.receiver.reading import MARKETPLACE_EVENTS
from tests.receiver.signed import notification

OWN = {
    EventType.SUBSCRIPTION_STATUS: SubscriptionStatus,
    EventType.INSTALL_STEP: InstallStep,
    EventType.UNINSTALL_STEP: UninstallStep,
}
TYPED_DICTS = {
    "user": parts.User,
    "company": parts.Company,
    "account": parts.Account,
    "addonInstance": parts.AddonInstance,
    "addonBinding": parts.AddonBinding,
    "order": parts.Order,
    "notice": parts.Notice,
}
ID = "0189f7ea-ae2c-7809-8aeb-b819cf5e9003"


def read(kind: EventType, payload: dict[str, Any] | None = None) -> Event:
    """A sample through the code that builds what is sent."""
    given = sample_payload(kind) if payload is None else payload
    event = QueuedEvent(ID, kind, "i-1", 1, "p-1", "a-1", "s-1", None, {"uuid": "u-1"}, given)
    state = EventState(Status.DELIVERING, 1_674_087_231_007, sequence=7)
    return read_event(build_body(event, state, base_url="https://m.example", partner="A", account_identifier=None), ID)


def test_every_type_of_the_catalogue_has_a_class() -> None:
    emitted = {kind.value for kind, rule in TYPE_RULES.items() if rule.emitted_by_callers}
    assert MARKETPLACE_EVENTS.keys() == emitted
    apart = {EventType.MARKETPLACE_CALLBACK, EventType.OPERATIONAL}
    assert {EventType(name) for name in emitted} | OWN.keys() | apart == set(EventType)


@pytest.mark.parametrize("kind", [EventType(name) for name in MARKETPLACE_EVENTS])
def test_what_a_marketplace_emits_is_read_part_by_part(kind: EventType) -> None:
    event = read(kind)
    assert type(event) is MARKETPLACE_EVENTS[kind]
    assert isinstance(event, MarketplaceEvent)
    assert (event.id, event.type, event.sequence, event.timestamp) == (ID, kind, 7, "2023-01-19T00:13:51.007Z")
    assert (event.product_id, event.account_id, event.subscription_id) == ("p-1", "a-1", "s-1")
    assert event.event_url == f"https://m.example/api/integration/v1/events/{ID}"
    sent = event.document["payload"]
    assert (event.user, event.company, event.account, event.order) == (
        sent["user"],
        sent["company"],
        sent["account"],
        sent["order"],
    )
    assert (event.addon_instance, event.addon_binding) == (sent["addonInstance"], sent["addonBinding"])
    assert (event.notice, event.configuration) == (sent["notice"], sent["configuration"])


@pytest.mark.parametrize("kind", [EventType(name) for name in MARKETPLACE_EVENTS])
def test_parts_that_a_type_needs_are_never_none(kind: EventType) -> None:
    event = read_event(notification(kind), ID)
    never_none = {one.name for one in fields(MarketplaceEvent) if getattr(event, one.name, None) == {}}
    needed = {"addon_instance" if name == "addonInstance" else name for name in ENTRIES[kind].needed}
    needed = {"addon_binding" if name == "addonBinding" else name for name in needed}
    assert never_none - {"configuration"} == needed


@pytest.mark.parametrize("name", TYPED_DICTS)
def test_types_of_parts_have_the_fields_of_the_catalogue(name: str) -> None:
    assert TYPED_DICTS[name].__annotations__.keys() == PARTS[name]["properties"].keys()


def test_every_part_has_a_type() -> None:
    assert TYPED_DICTS.keys() == PARTS.keys() - {"configuration"}
    assert parts.Payload.__annotations__.keys() == PARTS.keys()
    assert parts.Item.__annotations__.keys() == PARTS["order"]["properties"]["items"]["properties"].keys()


def test_error_codes_are_those_that_are_read() -> None:
    assert {code.value for code in ErrorCode} == set(ERROR_CODES)


def test_what_the_dispatcher_itself_sends_is_read() -> None:
    status = read(EventType.SUBSCRIPTION_STATUS)
    assert isinstance(status, SubscriptionStatus)
    assert (status.event["status"], status.event["attempts"], status.account) == (
        "SUCCEEDED",
        1,
        status.document["payload"]["account"],
    )
    for kind in (EventType.INSTALL_STEP, EventType.UNINSTALL_STEP):
        step = read(kind, sample_payload(kind) | {"bearerToken": "once"})
        assert type(step) is OWN[kind]
        assert isinstance(step, InstallStep)
        assert (step.function, step.step["name"], step.bearer_token) == ("verifyConnection", "Connection", "once")
        assert step.integration_id == "6553f1000000017d3a9c5be2"
        assert "once" not in repr(step)
    callback = read(EventType.MARKETPLACE_CALLBACK)
    assert isinstance(callback, MarketplaceCallback)
    assert (callback.type, callback.status, callback.account_id) == ("MARKETPLACE_CALLBACK", "installed", "account-1")
    assert (callback.product_id, callback.marketplace_id, callback.id) == ("product-1", 27, ID)
    notice = read(EventType.OPERATIONAL)
    assert isinstance(notice, OperationalNotice)
    assert (notice.type, notice.kind, notice.data["count"]) == ("OPERATIONAL", "event.dead", 1)


def test_a_type_of_a_newer_server_is_read_as_unknown() -> None:
    event = read_event(notification("USER_RENAMED", {"user": {"uuid": "u"}}), ID)
    assert type(event) is UnknownEvent
    assert (event.type, event.document["payload"]) == ("USER_RENAMED", {"user": {"uuid": "u"}})


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "not a JSON object"),
        (b"{}", "type is missing"),
        (b'{"type": 1}', "type is not a text"),
        (notification("SUBSCRIPTION_ORDER", {"order": "many"}), "payload.order is not an object"),
        (notification("SUBSCRIPTION_ORDER", ["many"]), "payload is not an object"),
        (notification("SUBSCRIPTION_ORDER", accountId=7), "accountId is not a text"),
        (notification("SUBSCRIPTION_STATUS"), "payload.event is missing"),
        (notification("INSTALL_STEP"), "payload.function is missing"),
        (b'{"IntegrationId": "i"}', "Status is missing"),
    ],
)
def test_what_cannot_be_read_is_named(body: bytes, said: str) -> None:
    with pytest.raises(UnreadableEvent, match=said):
        read_event(body, ID)


def test_an_order_names_what_is_bought() -> None:
    order = read(EventType.SUBSCRIPTION_ORDER)
    assert isinstance(order, SubscriptionOrder)
    assert order.order.get("editionCode") == "BASIC"
