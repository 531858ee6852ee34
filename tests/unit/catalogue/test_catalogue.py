"""The catalogue: valid schemas, samples that fit them, and problems that say where a payload does not."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema_rs import meta

from dispatcher.catalogue.parts import PARTS
from dispatcher.catalogue.samples import sample_payload
from dispatcher.catalogue.schemas import DIALECT, ENTRIES, payload_schema
from dispatcher.catalogue.validation import MAX_PROBLEMS, schema_problems
from dispatcher.model.event_type import TYPE_RULES, EventType
from dispatcher.model.status import Status
from dispatcher.policy.notification.body import status_payload
from dispatcher.policy.payload_rules import validate_payload

ORDER = EventType.SUBSCRIPTION_ORDER


@pytest.mark.parametrize("kind", EventType)
def test_every_type_has_a_versioned_schema_that_stands_alone(kind: EventType) -> None:
    schema = payload_schema(kind)
    assert schema["$schema"] == DIALECT
    assert schema["$id"].endswith(f":{kind.value}:{ENTRIES[kind].version}")
    meta.validate(orjson.loads(orjson.dumps(schema)))


@pytest.mark.parametrize("kind", EventType)
def test_every_sample_fits_its_schema_and_is_accepted(kind: EventType) -> None:
    sample = sample_payload(kind)
    assert schema_problems(kind, sample) == []
    if TYPE_RULES[kind].emitted_by_callers:
        assert validate_payload(kind, sample) == []
    sample.clear()
    assert sample_payload(kind)


@pytest.mark.parametrize("error", [None, {"code": "TRANSPORT_ERROR", "message": None}])
def test_notifications_about_events_fit_their_schema(error: dict[str, Any] | None) -> None:
    payload = status_payload("id", ORDER, Status.DEAD, 11, error, {"accountIdentifier": "A"})
    assert schema_problems(EventType.SUBSCRIPTION_STATUS, payload) == []


@pytest.mark.parametrize(
    ("kind", "payload", "code", "field"),
    [
        (ORDER, None, "missing_field", "payload.order"),
        (ORDER, {"order": {}}, "missing_field", "payload.order.editionCode"),
        (ORDER, {"order": {"editionCode": None}}, "missing_field", "payload.order.editionCode"),
        (ORDER, {"order": {"editionCode": 5}}, "wrong_type", "payload.order.editionCode"),
        (ORDER, {"order": None}, "wrong_type", "payload.order"),
        (EventType.USER_ASSIGNMENT, {}, "missing_field", "payload.user"),
        (EventType.USER_UNASSIGNMENT, {"user": None}, "wrong_type", "payload.user"),
        (EventType.USER_UPDATED, {"user": "sam"}, "wrong_type", "payload.user"),
        (EventType.USER_ASSIGNMENT, {"user": {"email": ["x"]}}, "wrong_type", "payload.user.email"),
        (EventType.SUBSCRIPTION_CANCEL, {"account": {"status": "GONE"}}, "invalid_value", "payload.account.status"),
        (EventType.SUBSCRIPTION_CANCEL, {"configuration": [1]}, "invalid_value", "payload.configuration"),
        (EventType.SUBSCRIPTION_NOTICE, {"notice": {"type": "X"}}, "invalid_value", "payload.notice.type"),
        (EventType.ADDON_UNBIND, {"addonInstance": {"id": 1}}, "missing_field", "payload.addonBinding"),
        (EventType.SUBSCRIPTION_STATUS, {"event": {"id": "x"}}, "missing_field", "payload.event.type"),
    ],
)
def test_problems_lead_to_the_place(kind: EventType, payload: Any, code: str, field: str) -> None:
    first = schema_problems(kind, payload)[0]
    assert (first.code, first.field) == (code, field)
    assert first.message.endswith(".")


def test_problems_lead_into_lists_and_repeat_no_value() -> None:
    items = [{"quantity": 1}, {"quantity": "12.5"}, {"quantity": "hidden-value"}]
    (problem,) = schema_problems(ORDER, {"order": {"editionCode": "BASIC", "items": items}})
    assert (problem.code, problem.field) == ("invalid_value", "payload.order.items.2.quantity")
    assert "hidden-value" not in problem.message


def test_a_choice_names_what_there_is_to_choose() -> None:
    (problem,) = schema_problems(EventType.SUBSCRIPTION_NOTICE, {"notice": {"type": "X"}})
    assert "CLOSED, DEACTIVATED" in problem.message


def test_what_older_marketplaces_send_fits() -> None:
    order = {"editionCode": "BASIC", "items": {"unit": "USER", "quantity": " 5 ", "more": 1}, "more": True}
    assert schema_problems(ORDER, {"order": order, "configuration": [], "user": None, "more": []}) == []


def test_problems_come_to_twenty_at_most() -> None:
    assert len(schema_problems(ORDER, {"order": {"editionCode": "B", "items": [1] * 5000}})) == MAX_PROBLEMS


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
)
NAMES = st.sampled_from(["editionCode", "items", "quantity", "type", "status", "pricingDuration", "id", "message"])
LIKELY = st.recursive(
    st.sampled_from([None, "", "BASIC", "ACTIVE", "MONTHLY", "CLOSED", 1, []]) | ANY_JSON,
    lambda inner: st.dictionaries(NAMES, inner, max_size=3) | st.lists(inner, max_size=2),
    max_leaves=6,
)


@given(kind=st.sampled_from(EventType), payload=st.dictionaries(st.sampled_from(sorted(PARTS)), LIKELY, max_size=4))
def test_what_fits_the_schema_is_always_accepted(kind: EventType, payload: dict[str, Any]) -> None:
    problems = schema_problems(kind, payload)
    assert all(one.message and (one.field or "").startswith("payload") for one in problems)
    if not problems and TYPE_RULES[kind].emitted_by_callers:
        assert validate_payload(kind, payload) == []
