"""Filters: what each operator lets through, what is wrong with a filter, and that nothing makes one raise."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.model.event import Event
from dispatcher.model.event_type import EventType
from dispatcher.policy.integration_filter.conditions import MAX_STEPS, ROOTS, TESTS
from dispatcher.policy.integration_filter.filter import (
    MAX_TEXT_CHARS,
    Judgement,
    Ruling,
    compile_filter,
    filter_problems,
)
from dispatcher.policy.integration_filter.reading import MAX_CONDITIONS, MAX_DEPTH, MAX_LISTED, MAX_PROBLEMS

PAYLOAD: dict[str, Any] = {
    "order": {"editionCode": "PRO", "items": [{"unit": "USER", "quantity": 5}, {"unit": "GB", "quantity": 20}]},
    "company": None,
    "trial": False,
    "tags": ["new", None, "eu"],
    "none": [],
    "started": "2026-03-01",
    "one": 1,
}


def event(kind: EventType = EventType.SUBSCRIPTION_ORDER, **fields: Any) -> Event:
    given = {"product_id": "P", "account_id": "A", "payload": PAYLOAD} | fields
    return Event("id", kind, "integration", 1, **given)


def judged(document: Any, about: Event | None = None) -> Judgement:
    return compile_filter(document).judge(about or event())


@pytest.mark.parametrize(
    ("document", "passes"),
    [
        ({}, True),
        ({"type": "SUBSCRIPTION_ORDER"}, True),
        ({"type": "SUBSCRIPTION_CANCEL"}, False),
        ({"type": {"$in": ["SUBSCRIPTION_CANCEL", "SUBSCRIPTION_ORDER"]}}, True),
        ({"type": {"$nin": ["SUBSCRIPTION_CANCEL"]}}, True),
        ({"productId": "P", "accountId": "B"}, False),
        ({"flag": None}, True),
        ({"flag": {"$exists": False}}, True),
        ({"subscriptionId": {"$ne": "S"}}, True),
        ({"payload.order.editionCode": {"$eq": "PRO"}}, True),
        ({"payload.order.editionCode": {"$ne": "PRO"}}, False),
        ({"payload.order.items.quantity": {"$gte": 20}}, True),
        ({"payload.order.items.quantity": {"$gt": 20}}, False),
        ({"payload.order.items.quantity": {"$lt": 5}}, False),
        ({"payload.order.items.quantity": {"$lte": 5, "$gt": 4}}, True),
        ({"payload.order.items.0.quantity": {"$gt": 5}}, False),
        ({"payload.order.items.1.quantity": {"$gt": 5}}, True),
        ({"payload.order.items.2.quantity": {"$exists": False}}, True),
        ({"payload.order.editionCode.deeper": {"$exists": True}}, False),
        ({"payload.order": {"$exists": True}}, True),
        ({"payload.company": {"$exists": True}}, False),
        ({"payload.company": None}, True),
        ({"payload.missing": {"$in": ["x", None]}}, True),
        ({"payload.missing": {"$nin": ["x", None]}}, False),
        ({"payload.trial": False}, True),
        ({"payload.trial": 0}, False),
        ({"payload.one": True}, False),
        ({"payload.one": 1.0}, True),
        ({"payload.one": "1"}, False),
        ({"payload.tags": "eu"}, True),
        ({"payload.tags": {"$ne": "eu"}}, False),
        ({"payload.none": {"$exists": True}}, True),
        ({"payload.started": {"$gte": "2026-01-01", "$lt": "2027"}}, True),
        ({"payload.started": {"$gt": 5}}, False),
        ({"payload.trial": {"$gte": 0}}, False),
        ({"$not": {"payload.order.editionCode": "PRO"}}, False),
        ({"payload.order.editionCode": {"$not": {"$in": ["BASIC"]}}}, True),
        ({"$or": [{"productId": "Q"}, {"accountId": "A"}]}, True),
        ({"$or": [{"productId": "Q"}, {"accountId": "B"}]}, False),
        ({"$and": [{"productId": "P"}, {"accountId": "B"}]}, False),
        ({"$and": [{"productId": "P"}, {"$or": [{"accountId": "B"}, {"$not": {"flag": "X"}}]}]}, True),
    ],
)
def test_filter_lets_through_what_meets_every_condition(document: dict[str, Any], passes: bool) -> None:
    assert filter_problems(document) == []
    assert judged(document).ruling is (Ruling.PASSES if passes else Ruling.LEFT_OUT)


@pytest.mark.parametrize(
    ("document", "code", "where"),
    [
        ([], "wrong_type", "filter"),
        ({"type": "create"}, "invalid_value", "filter.type"),
        ({"type": {"$in": ["SUBSCRIPTION_ORDER", "order"]}}, "invalid_value", "filter.type.$in"),
        ({"kind": "x"}, "unknown_field", "filter.kind"),
        ({"type.x": "x"}, "unknown_field", "filter.type.x"),
        ({"payload..x": "x"}, "unknown_field", "filter.payload..x"),
        ({"": "x"}, "unknown_field", "filter."),
        ({"$nor": []}, "unknown_operator", "filter.$nor"),
        ({"payload.x": {"$regex": ".*"}}, "unknown_operator", "filter.payload.x"),
        ({"payload.x": {"y": 1}}, "unknown_operator", "filter.payload.x"),
        ({"payload.x": {"$and": [{"$gt": 1}]}}, "unknown_operator", "filter.payload.x"),
        ({"payload.x": {}}, "wrong_type", "filter.payload.x"),
        ({"payload.x": [1]}, "wrong_type", "filter.payload.x"),
        ({"payload.x": {"$in": []}}, "wrong_type", "filter.payload.x.$in"),
        ({"payload.x": {"$in": "x"}}, "wrong_type", "filter.payload.x.$in"),
        ({"payload.x": {"$in": list(range(101))}}, "wrong_type", "filter.payload.x.$in"),
        ({"payload.x": {"$gt": None}}, "wrong_type", "filter.payload.x.$gt"),
        ({"payload.x": {"$gt": True}}, "wrong_type", "filter.payload.x.$gt"),
        ({"payload.x": {"$gt": float("inf")}}, "wrong_type", "filter.payload.x.$gt"),
        ({"payload.x": 2**64}, "wrong_type", "filter.payload.x"),
        ({"payload.x": "\ud800"}, "wrong_type", "filter.payload.x"),
        ({"payload.\ud800": "x"}, "invalid_text", "filter"),
        ({"payload.x": {"$exists": 1}}, "wrong_type", "filter.payload.x.$exists"),
        ({"$and": []}, "wrong_type", "filter.$and"),
        ({"$or": {"type": "x"}}, "wrong_type", "filter.$or"),
        ({"$or": [{}]}, "wrong_type", "filter.$or.0"),
        ({"$not": {}}, "wrong_type", "filter.$not"),
        ({"$not": None}, "wrong_type", "filter.$not"),
    ],
)
def test_each_fault_has_a_problem_that_leads_to_it(document: Any, code: str, where: str) -> None:
    (problem,) = filter_problems(document)
    assert (problem.code, problem.field) == (code, where)


@pytest.mark.parametrize(
    "document",
    [
        [],
        "x",
        1,
        False,
        {"kind": "x"},
        {"$regex": "x"},
        {"payload.x": {"$regex": ".*"}},
        {"type": "SUBSCRIPTION_LATER"},
        {"$and": []},
        {"$not": {}},
        {"payload.x": {"$in": []}},
        {"payload.x": {}},
        {"payload.": 1},
        {"$or": [{"a": 1}]},
    ],
)
def test_a_stored_filter_that_cannot_be_read_lets_nothing_through_and_leaves_nothing_out(document: Any) -> None:
    assert filter_problems(document)
    judgement = judged(document)
    assert judgement.ruling is Ruling.UNREADABLE
    assert judgement.text
    assert judged(document, event(EventType.SUBSCRIPTION_STATUS)).ruling is Ruling.PASSES


@pytest.mark.parametrize(
    "document",
    [
        {"$or": [{"productId": f"Q{n}"} for n in range(MAX_CONDITIONS * 2)]},
        {"productId": {"$in": [f"Q{n}" for n in range(MAX_LISTED * 2)]}},
        {"productId": "Q" * 5000},
        {f"payload.{'x' * 500}": "Q"},
        {"$not": {"$and": [{"$or": [{"productId": "P"}]}] * 60}},
    ],
)
def test_a_stored_filter_beyond_the_bounds_of_saving_goes_on_deciding(document: Any) -> None:
    assert filter_problems(document)
    assert judged(document).ruling is Ruling.LEFT_OUT
    assert judged({"$not": document}).ruling is Ruling.PASSES


WIDE = {"v": [f"y{n}" for n in range(1000)]}
COSTLY: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"$and": [{"payload.v": {"$nin": [f"x{i}-{n}" for n in range(100)]}} for i in range(50)]}, WIDE),
    ({"$and": [{f"payload.a.b{n}": None} for n in range(50)]}, {"a": [{"b": 1}] * 100_000}),
    ({"payload.v": {"$ne": "x"}}, {"v": [1] * 100_000}),
    ({"payload.v.w": {"$ne": "x"}}, {"v": [1] * 100_000}),
    ({"$and": [{"payload.v": {"$not": {"$gt": "é" * 999}}}] * 50}, {"v": ["é" * 999] * 500}),
    ({"payload.a.a.a.a.a.a": {"$exists": False}}, {"a": [{"a": [{"a": [{"a": [{"a": [{}] * 9}] * 9}] * 9}] * 9}] * 9}),
]


@pytest.mark.parametrize(("document", "payload"), COSTLY)
@pytest.mark.parametrize("inverted", [False, True])
def test_a_filter_that_would_look_too_long_decides_nothing(
    document: dict[str, Any], payload: dict[str, Any], inverted: bool
) -> None:
    assert filter_problems(document) == []
    asked = {"$not": document} if inverted else document
    judgement = judged(asked, event(payload=payload))
    assert judgement.ruling is Ruling.UNDECIDED
    assert str(MAX_STEPS) in judgement.text


@pytest.mark.parametrize(("document", "payload"), COSTLY)
def test_looking_is_counted_before_it_is_done(document: dict[str, Any], payload: dict[str, Any]) -> None:
    """Function calls of the interpreter and values looked at, not time: at most a few for each step."""
    prepared, about = compile_filter(document), event(payload=payload)
    calls = 0

    def count(_frame: Any, _what: str, _argument: Any) -> None:
        nonlocal calls
        calls += 1

    sys.setprofile(count)
    try:
        prepared.judge(about)
    finally:
        sys.setprofile(None)
    assert calls < 10 * MAX_STEPS


def test_paths_that_conditions_share_are_walked_once() -> None:
    payload = {"a": [{"b": n} for n in range(1000)]}
    apart = {"$and": [{"payload.a.b": {"$ne": 2000 + n}} for n in range(7)]}
    assert judged(apart, event(payload=payload)).ruling is Ruling.PASSES


def test_what_is_said_of_an_entry_is_short_however_long_the_entry() -> None:
    document = {"$or": [{"productId": {"$in": ["x" * 900] * 100}}] * 50}
    assert len(judged(document).text) <= MAX_TEXT_CHARS + 1


def nested(depth: int) -> dict[str, Any]:
    document: dict[str, Any] = {"flag": "X"}
    for _ in range(depth - 1):
        document = {"$not": document}
    return document


def test_a_filter_nests_ten_deep_and_no_deeper() -> None:
    assert filter_problems(nested(MAX_DEPTH)) == []
    assert [one.code for one in filter_problems(nested(MAX_DEPTH + 1))] == ["too_deep"]
    assert [one.code for one in filter_problems(nested(5000))] == ["too_deep"]


def test_a_filter_has_fifty_conditions_at_most() -> None:
    ranges = {f"payload.x{n}": {"$gt": 1, "$lt": 9} for n in range(MAX_CONDITIONS // 2)}
    assert filter_problems(ranges) == []
    assert [one.code for one in filter_problems(ranges | {"flag": "X"})] == ["limit_reached"]
    assert [one.code for one in filter_problems({"$or": [{"flag": "X"}] * 100_000})] == ["limit_reached"]


def test_problems_come_to_twenty_at_most() -> None:
    assert len(filter_problems({f"x{n}": 1 for n in range(1000)})) == MAX_PROBLEMS


def test_what_is_not_met_is_named() -> None:
    document = {"productId": "P", "payload.order.editionCode": {"$in": ["BASIC", "TEAM"]}}
    assert judged(document).text == 'payload.order.editionCode $in ["BASIC","TEAM"]'
    either = {"$or": [{"flag": "X"}, {"$not": {"accountId": "A"}}]}
    assert judged(either).text == '(flag $eq "X" or not (accountId $eq "A"))'


def test_notifications_about_other_events_pass() -> None:
    only_orders = compile_filter({"type": "SUBSCRIPTION_ORDER"})
    assert only_orders.judge(event(EventType.SUBSCRIPTION_STATUS)).ruling is Ruling.PASSES
    assert only_orders.judge(event(EventType.SUBSCRIPTION_CANCEL)).ruling is Ruling.LEFT_OUT


SCALAR = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
ANY_JSON = st.recursive(
    SCALAR, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
)
WORD = st.sampled_from([*ROOTS, *TESTS, "$and", "$or", "$not", "payload.a", "payload.a.b", "payload.0", "$x", ""])
LIKELY = st.recursive(
    SCALAR | ANY_JSON, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORD, inner, max_size=4)
)
HELD = st.recursive(
    SCALAR, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("ab0"), inner, max_size=3)
)
PAYLOADS = st.none() | st.dictionaries(st.sampled_from("ab0"), HELD, max_size=3)


@given(document=LIKELY, payload=PAYLOADS)
def test_no_document_and_no_event_makes_a_filter_raise(document: Any, payload: Any) -> None:
    problems = filter_problems(document)
    assert all(one.message and one.field for one in problems)
    judgement = judged(document, event(payload=payload))
    assert bool(judgement.text) is (judgement.ruling is not Ruling.PASSES)
    if document is not None and judgement.ruling is not Ruling.UNREADABLE:
        assert all(one.code in ("limit_reached", "too_deep", "wrong_type", "invalid_text") for one in problems)


CONDITION = st.one_of(
    st.builds(
        lambda op, value: {op: value}, st.sampled_from(["$eq", "$ne"]), st.none() | st.booleans() | st.integers(-9, 9)
    ),
    st.builds(lambda op, value: {op: value}, st.sampled_from(["$gt", "$gte", "$lt", "$lte"]), st.integers(-9, 9)),
    st.builds(lambda value: {"$exists": value}, st.booleans()),
    st.builds(lambda value: {"$in": value}, st.lists(st.none() | st.text(max_size=2), min_size=1, max_size=3)),
)
VALID = st.dictionaries(st.sampled_from(["payload.a", "payload.a.b", "payload.b.0"]), CONDITION, min_size=1, max_size=3)


@given(document=VALID, other=VALID, payload=PAYLOADS)
def test_combining_filters_is_logic(document: dict[str, Any], other: dict[str, Any], payload: Any) -> None:
    def passes(filter_: dict[str, Any]) -> bool:
        assert filter_problems(filter_) == []
        return judged(filter_, event(payload=payload)).ruling is Ruling.PASSES

    one, two = passes(document), passes(other)
    assert passes({"$not": document}) is not one
    assert passes({"$and": [document, other]}) is (one and two)
    assert passes({"$or": [document, other]}) is (one or two)
    assert all(
        passes({path: {"$not": condition}}) is not passes({path: condition}) for path, condition in document.items()
    )
