"""Bounds on size, depth and cost of a filter, and that nothing makes one raise."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.policy.integration_filter.conditions import MAX_STEPS, ROOTS, TESTS
from dispatcher.policy.integration_filter.filter import (
    MAX_TEXT_CHARS,
    Ruling,
    compile_filter,
    filter_problems,
)
from dispatcher.policy.integration_filter.reading import MAX_CONDITIONS, MAX_DEPTH, MAX_LISTED, MAX_PROBLEMS
from tests.unit.policy.integration_filter.judged import event, judged


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
