"""Requests of the verbs: sample payloads, fields set by path, conditions and moments in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from dispatcher.catalogue.samples import sample_payload
from dispatcher.cli.events.conditions import Conditions, since_moment
from dispatcher.cli.events.emit import emittable
from dispatcher.cli.terminal.typed_json import parsed, payload_from, set_field
from dispatcher.cli.terminal.words import age, times
from dispatcher.errors import ConfigurationError
from dispatcher.model.event_type import TYPE_RULES, EventType
from dispatcher.policy.payload_rules import validate_payload
from tests.cli.data_folder import folder
from tests.cli.in_process import dispatcher

__all__ = ["folder"]

NOW_S = 1_800_000_000.0
EMITTABLE = [kind for kind, rule in TYPE_RULES.items() if rule.emitted_by_callers]


@pytest.mark.parametrize("kind", EMITTABLE)
def test_every_type_has_a_sample_that_is_accepted(kind: EventType) -> None:
    sample = sample_payload(kind)
    assert sample
    assert validate_payload(kind, sample) == []
    sample.clear()
    assert sample_payload(kind)


@pytest.mark.parametrize("name", ["create", "CREATE", "subscription_order", "SUBSCRIPTION_ORDER"])
def test_types_may_be_typed_in_any_case(name: str) -> None:
    assert emittable(name) is EventType.SUBSCRIPTION_ORDER


@pytest.mark.parametrize("name", ["status", "SUBSCRIPTION_STATUS", "bogus", ""])
def test_types_that_callers_cannot_emit_are_refused_with_those_that_they_can(name: str) -> None:
    with pytest.raises(ConfigurationError, match="use one of create, upgrade, cancel"):
        emittable(name)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5),
        ("true", True),
        ("null", None),
        ('"5"', "5"),
        ('{"a":[1]}', {"a": [1]}),
        ("ACME Inc", "ACME Inc"),
        ("", ""),
    ],
)
def test_values_are_json_where_they_can_be_read_as_json(text: str, value: object) -> None:
    assert parsed(text) == value


def test_fields_are_set_by_their_paths_over_the_sample() -> None:
    data = ["notice.type=CLOSED", "payload.account.status=SUSPENDED", "configuration.seats=3", "user.email=a=b"]
    payload = payload_from(EventType.SUBSCRIPTION_NOTICE, None, data)
    assert payload == {
        "account": {"status": "SUSPENDED"},
        "notice": {"type": "CLOSED"},
        "configuration": {"seats": 3},
        "user": {"email": "a=b"},
    }


def test_entries_of_lists_are_named_by_their_place() -> None:
    payload = payload_from(EventType.SUBSCRIPTION_ORDER, None, ["order.items.0.quantity=7"])
    assert payload["order"]["items"] == [{"unit": "USER", "quantity": 7}]


@pytest.mark.parametrize("path", ["items.1", "items.x", "items.-1", "name.a", "name.a.b"])
def test_paths_that_lead_nowhere_are_refused(path: str) -> None:
    with pytest.raises(ConfigurationError, match=path.replace(".", r"\.")):
        set_field({"items": [1], "name": "x"}, path, 2)


@pytest.mark.parametrize("given", ["novalue", "=5", ""])
def test_data_without_a_path_and_a_value_is_refused(given: str) -> None:
    with pytest.raises(ConfigurationError, match="path=value"):
        payload_from(EventType.SUBSCRIPTION_ORDER, None, [given])


def test_payload_file_replaces_the_sample(tmp_path: Path) -> None:
    file = tmp_path / "payload.json"
    file.write_text('{"a": 1}')
    assert payload_from(EventType.SUBSCRIPTION_ORDER, file, ["b=2"]) == {"a": 1, "b": 2}


@pytest.mark.parametrize(("text", "why"), [("[1]", "JSON object"), ("{", "not JSON"), (None, "cannot be read")])
def test_payload_file_that_is_no_json_object_is_refused(tmp_path: Path, text: str | None, why: str) -> None:
    file = tmp_path / "payload.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(ConfigurationError, match=why):
        payload_from(EventType.SUBSCRIPTION_ORDER, file, [])


REFUSED_BY_THE_API = [
    ("12345678901234567890123", "an integer does not fit 64 bits"),
    (str(2**64), "an integer does not fit 64 bits"),
    ("1e999", "a number does not fit a double"),
    ('{"b":1,"b":2}', "the name 'b' is given twice"),
    ('"\\ud800"', "half a surrogate pair"),
    ("[" * 100 + "]" * 100, "nested deeper than 64"),
]


@pytest.mark.parametrize(("text", "why"), REFUSED_BY_THE_API, ids=[why for _, why in REFUSED_BY_THE_API])
def test_payload_that_the_api_would_refuse_is_refused_and_not_changed(tmp_path: Path, text: str, why: str) -> None:
    file = tmp_path / "payload.json"
    file.write_text(f'{{"a":{text}}}')
    with pytest.raises(ConfigurationError, match=f"payload.json: .*{why}"):
        payload_from(EventType.SUBSCRIPTION_ORDER, file, [])
    with pytest.raises(ConfigurationError, match=f"--data a: .*{why}"):
        payload_from(EventType.SUBSCRIPTION_ORDER, None, [f"a={text}"])


def test_the_largest_integers_are_sent_as_they_are() -> None:
    data = [f"a={2**64 - 1}", f"b={-(2**63)}"]
    payload = payload_from(EventType.SUBSCRIPTION_NOTICE, None, data)
    assert (payload["a"], payload["b"]) == (2**64 - 1, -(2**63))


@pytest.mark.parametrize("name", ["bogus", "status", "SUBSCRIPTION_STATUS", "OPERATIONAL"])
def test_types_that_cannot_be_pinged_are_refused_with_those_that_can(
    capsys: pytest.CaptureFixture[str], name: str
) -> None:
    ended = dispatcher(capsys, "ping", "34827", "--type", name)
    told = ended.err
    assert ended.status == 2
    assert "use one of create, upgrade, cancel" in told
    assert not {"SUBSCRIPTION_STATUS", "OPERATIONAL"} & set(told.partition("use one of")[2].replace(",", " ").split())


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("90s", "2027-01-15T07:58:30.000Z"),
        ("15m", "2027-01-15T07:45:00.000Z"),
        ("1h", "2027-01-15T07:00:00.000Z"),
        ("2D", "2027-01-13T08:00:00.000Z"),
        ("999999999d", "1970-01-01T00:00:00.000Z"),
        ("2026-11-21T10:00:00Z", "2026-11-21T10:00:00Z"),
    ],
)
def test_since_is_an_age_or_a_moment(text: str, moment: str) -> None:
    assert since_moment(text, NOW_S) == moment


@pytest.mark.parametrize("text", ["yesterday", "1 week", "h", "-1h"])
def test_since_that_is_neither_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="nor an ISO 8601 time"):
        since_moment(text, NOW_S)


def test_conditions_are_a_query_and_a_body() -> None:
    only = Conditions(status=["dead", "failed"], type=["create"], account="A", product="P")
    assert only.query() == {"status": "DEAD,FAILED", "type": "create", "accountId": "A", "productId": "P"}
    assert only.body() == {"status": ["DEAD", "FAILED"], "type": ["create"], "accountId": "A", "productId": "P"}
    assert Conditions().query() == {}


def test_ages_and_counts_in_words() -> None:
    assert [age(s) for s in (-1, 0, 119, 120, 7200, 200_000)] == ["0 s", "0 s", "119 s", "2 min", "2 h", "2 d"]
    assert [times(n, "event") for n in (0, 1, 2)] == ["0 events", "1 event", "2 events"]
