"""Numbers in payloads are written as they came, through the store and to the host."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.api.rest.host.xml import to_xml
from dispatcher.catalogue.validation import schema_problems
from dispatcher.model import exact_numbers
from dispatcher.model.event import Event, EventState
from dispatcher.model.event_type import EventType
from dispatcher.model.status import Status
from dispatcher.policy.integration_filter.filter import Ruling, compile_filter
from dispatcher.policy.notification.body import build_body
from dispatcher.policy.strict_json import read_object

CHANGED_BY_DOUBLES = [
    "1234567890123456.78",
    "1E5",
    "1e-400",
    "0.10",
    "-0",
    "-0.0e1",
    "1.0000000000000000001",
    "18446744073709551616",
    "-9223372036854775809",
    "123456789012345678901234567890",
]


def event_of(payload_text: str) -> Event:
    payload = read_object(payload_text.encode(), exact=True)
    return Event("018f0000-0000-7000-8000-000000000000", EventType.SUBSCRIPTION_CHANGE, "I", 1, payload=payload)


def sent(event: Event) -> bytes:
    state = EventState(Status.QUEUED, 0)
    return build_body(event, state, base_url="http://d", partner="P", account_identifier=None)


@pytest.mark.parametrize("number", [*CHANGED_BY_DOUBLES, "0", "7", "2.5", "1e16", "18446744073709551615"])
def test_a_number_reaches_the_host_as_it_came(number: str) -> None:
    event = event_of(f'{{"configuration":{{"n":{number},"list":[{number}]}}}}')
    again = Event.from_stored(event.id, event.stored())
    body = sent(again)
    assert f'"n":{number},'.encode() in body
    assert f'"list":[{number}]'.encode() in body
    assert again == event


@pytest.mark.parametrize("number", CHANGED_BY_DOUBLES)
def test_filters_and_schemas_see_the_value(number: str) -> None:
    event = event_of(f'{{"order":{{"editionCode":"B","items":[{{"unit":"USER","quantity":{number}}}]}}}}')
    assert not [one for one in schema_problems(EventType.SUBSCRIPTION_CHANGE, event.payload) if "quantity" in str(one)]
    value = float(number)
    near = {"$gte": value - abs(value) / 1e9, "$lte": value + abs(value) / 1e9}
    assert compile_filter({"payload.order.items.quantity": near}).judge(event).ruling is Ruling.PASSES


def test_only_numbers_that_would_change_are_kept_apart() -> None:
    payload = event_of('{"a":1.5,"b":16,"c":1.50}').payload or {}
    assert [type(one) for one in payload.values()] == [float, int, exact_numbers.ExactNumber]


def test_a_payload_without_exact_numbers_is_checked_as_it_is() -> None:
    """Copying it costs several times what the check does."""
    payload = event_of('{"a":1.5,"b":[{"c":16}]}').payload
    exact = event_of('{"a":1.50,"b":[{"c":16}]}').payload
    assert exact_numbers.plain(payload) is payload
    assert type(exact_numbers.plain(exact)["a"]) is float


def test_xml_has_the_text_of_a_number() -> None:
    assert b"<n>1E5</n>" in to_xml("event", event_of('{"n":1E5}').payload)


def test_other_json_is_as_strict_as_before() -> None:
    with pytest.raises(Exception, match="64 bits"):
        read_object(b'{"n":18446744073709551616}')


@given(st.recursive(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**70), 2**70), st.lists))
def test_whatever_is_written_is_read_again(value: Any) -> None:
    text = exact_numbers.dumps(read_object(b'{"v":' + _json(value) + b"}", exact=True))
    assert read_object(text, exact=True) == {"v": value}


def _json(value: Any) -> bytes:
    if isinstance(value, list):
        return b"[" + b",".join(_json(one) for one in value) + b"]"
    return str(value).encode() if isinstance(value, int) else orjson.dumps(value)
