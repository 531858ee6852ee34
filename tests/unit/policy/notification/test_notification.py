"""The body that product hosts parse, and what a payload must hold."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from dispatcher.model.event import Event, EventState
from dispatcher.model.event_type import NOTICE_TYPES, EventType
from dispatcher.model.status import Status
from dispatcher.policy.notification.body import build_body, status_payload
from dispatcher.policy.payload_rules import validate_payload

EVENT_ID = "0189f7ea-ae2c-7809-8aeb-b819cf5e9003"
CHANGE = EventType.SUBSCRIPTION_CHANGE


def body(
    kind: EventType = CHANGE,
    payload: dict[str, Any] | None = None,
    *,
    account_identifier: str | None = None,
    creator: dict[str, Any] | None = None,
    flag: str | None = None,
) -> dict[str, Any]:
    event = Event(EVENT_ID, kind, "i-1", 1, "p-1", "a-1", "s-1", flag, creator, payload)
    state = EventState(Status.DELIVERING, 1_674_087_231_007, sequence=7)
    raw = build_body(event, state, base_url="https://m.example", partner="ACME", account_identifier=account_identifier)
    parsed: dict[str, Any] = orjson.loads(raw)
    return parsed


def test_every_key_of_the_format_is_there() -> None:
    found = body(EventType.SUBSCRIPTION_ORDER)
    assert list(found)[:12] == [
        "id",
        "eventUrl",
        "sequence",
        "timestamp",
        "type",
        "marketplace",
        "applicationUuid",
        "flag",
        "creator",
        "payload",
        "returnUrl",
        "links",
    ]
    assert found["id"] == EVENT_ID
    assert found["eventUrl"] == f"https://m.example/api/integration/v1/events/{EVENT_ID}"
    assert (found["sequence"], found["timestamp"]) == (7, "2023-01-19T00:13:51.007Z")
    assert found["marketplace"] == {"partner": "ACME", "baseUrl": "https://m.example"}
    assert (found["productId"], found["accountId"], found["subscriptionId"]) == ("p-1", "a-1", "s-1")
    assert found["payload"] == {
        "user": None,
        "company": None,
        "account": None,
        "addonInstance": None,
        "addonBinding": None,
        "order": None,
        "notice": None,
        "configuration": {},
    }


def test_the_callers_own_fields_are_kept() -> None:
    payload = {"x": [1, {"y": None}], "configuration": {"domain": "d"}, "company": {"name": "é"}}
    found = body(payload=payload, creator={"uuid": "u"}, flag="DEVELOPMENT")
    assert found["payload"]["x"] == [1, {"y": None}]
    assert found["payload"]["configuration"] == {"domain": "d"}
    assert found["payload"]["company"] == {"name": "é"}
    assert (found["creator"], found["flag"]) == ({"uuid": "u"}, "DEVELOPMENT")


@pytest.mark.parametrize("configuration", [[], None, {}])
def test_an_empty_configuration_is_an_object(configuration: object) -> None:
    assert body(payload={"configuration": configuration})["payload"]["configuration"] == {}


def test_account_identifier_of_the_order_reaches_every_later_event() -> None:
    expected = {"accountIdentifier": "A-1", "status": None, "parentAccountIdentifier": None}
    assert body(account_identifier="A-1")["payload"]["account"] == expected
    given = body(payload={"account": {"status": "ACTIVE", "x": 1}}, account_identifier="A-1")["payload"]["account"]
    assert given == expected | {"status": "ACTIVE", "x": 1}


def test_a_given_account_identifier_is_kept() -> None:
    payload = {"account": {"accountIdentifier": "mine"}}
    assert body(payload=payload, account_identifier="A-1")["payload"]["account"]["accountIdentifier"] == "mine"


def test_an_order_is_not_given_the_identifier_that_it_asks_for() -> None:
    assert body(EventType.SUBSCRIPTION_ORDER, account_identifier="A-1")["payload"]["account"] is None


@pytest.mark.parametrize(
    ("given", "sent"), [("25", 25), (25, 25), ("2.5", 2.5), (" 3 ", 3), ("-1", -1), ("many", "many"), (None, None)]
)
def test_quantities_are_sent_as_numbers(given: object, sent: object) -> None:
    payload = {"order": {"editionCode": "BASIC", "items": [{"unit": "USER", "quantity": given}, "odd"]}}
    order = body(payload=payload)["payload"]["order"]
    assert order == {"editionCode": "BASIC", "items": [{"unit": "USER", "quantity": sent}, "odd"]}


def test_a_single_item_is_sent_as_a_list() -> None:
    assert body(payload={"order": {"items": {"quantity": "1"}}})["payload"]["order"] == {"items": [{"quantity": 1}]}


def test_building_does_not_change_the_event() -> None:
    payload = {"configuration": [], "order": {"items": [{"quantity": "1"}]}, "account": {}}
    body(payload=payload, account_identifier="A-1")
    assert payload == {"configuration": [], "order": {"items": [{"quantity": "1"}]}, "account": {}}


@pytest.mark.parametrize("kind", [EventType.USER_ASSIGNMENT, EventType.USER_UNASSIGNMENT])
def test_assignment_without_user_is_about_its_creator(kind: EventType) -> None:
    assert body(kind, creator={"uuid": "u"})["payload"]["user"] == {"uuid": "u"}
    assert body(kind, {"user": {"uuid": "v"}}, creator={"uuid": "u"})["payload"]["user"] == {"uuid": "v"}


def test_status_payload_names_the_event() -> None:
    payload = status_payload("T", CHANGE, Status.DEAD, 11, {"code": "TRANSPORT_ERROR", "message": "x"}, None)
    found = body(EventType.SUBSCRIPTION_STATUS, payload)["payload"]
    assert found["event"] == {
        "id": "T",
        "type": "SUBSCRIPTION_CHANGE",
        "status": "DEAD",
        "attempts": 11,
        "error": {"code": "TRANSPORT_ERROR", "message": "x"},
    }


def problems(payload: dict[str, Any] | None, kind: EventType = CHANGE) -> list[tuple[str, str | None]]:
    return [(problem.code, problem.field) for problem in validate_payload(kind, payload)]


@pytest.mark.parametrize("kind", list(EventType))
def test_no_type_needs_a_payload(kind: EventType) -> None:
    assert problems(None, kind) == []
    assert problems({}, kind) == []


@pytest.mark.parametrize("notice", sorted(NOTICE_TYPES))
def test_every_notice_type_is_accepted(notice: str) -> None:
    assert (
        problems({"notice": {"type": notice, "message": "m"}, "configuration": []}, EventType.SUBSCRIPTION_NOTICE) == []
    )


def test_a_notice_that_is_given_needs_its_type() -> None:
    payload = {"notice": {"message": "m"}}
    assert problems(payload, EventType.SUBSCRIPTION_NOTICE) == [("missing_field", "payload.notice.type")]


@pytest.mark.parametrize("value", ["BOGUS", "deactivated", 1, ["CLOSED"], {}])
def test_an_unknown_notice_type_is_refused(value: object) -> None:
    payload = {"notice": {"type": value}}
    assert problems(payload, EventType.SUBSCRIPTION_NOTICE) == [("invalid_value", "payload.notice.type")]
    assert problems(payload) == [("invalid_value", "payload.notice.type")]


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        ({"account": {"status": "BOGUS"}}, "payload.account.status"),
        ({"order": {"pricingDuration": "HOURLY"}}, "payload.order.pricingDuration"),
        ({"order": {"pricingDuration": 1}}, "payload.order.pricingDuration"),
        ({"account": []}, "payload.account"),
        ({"user": "x"}, "payload.user"),
        ({"configuration": [1]}, "payload.configuration"),
        ({"configuration": "x"}, "payload.configuration"),
        ({"order": {"items": "x"}}, "payload.order.items"),
    ],
)
def test_wrong_parts_are_named_by_their_path(payload: dict[str, Any], field: str) -> None:
    assert [found for _, found in problems(payload)] == [field]


def test_all_problems_are_reported_together() -> None:
    payload = {"account": {"status": "X"}, "order": {"pricingDuration": "Y"}, "user": 1}
    assert len(problems(payload)) == 3
