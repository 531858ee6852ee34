"""The text of a filter of events: what it means, what is refused and where, and that printing turns reading round."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatcher.errors import InvalidRequest
from dispatcher.model.attempt import Outcome
from dispatcher.model.event_type import EventType
from dispatcher.model.queue import EventFilter, Reason
from dispatcher.model.status import FAILURES, Status
from dispatcher.model.term import Bounds, Field, Term
from dispatcher.policy.event_filter.printing import print_filter
from dispatcher.policy.event_filter.reading import read_filter
from dispatcher.policy.event_filter.scanning import MAX_CHARS

NOW_MS = 1_795_000_000_000
HOUR_MS = 3_600_000
UUID = "5f157a26-0238-4f3f-9c31-1f3e65b4713e"
EVENT_ID = "0195f1c2-7e8a-7abc-8def-0123456789ab"


def read(text: str, **beside: Any) -> EventFilter:
    return read_filter(text, NOW_MS, EventFilter(**beside))


def term(text: str) -> Term:
    (found,) = read(text).terms
    return found


@pytest.mark.parametrize(
    ("text", "condition"),
    [
        ("", EventFilter()),
        ("status:dead", EventFilter(statuses=frozenset({Status.DEAD}))),
        ("  STATUS:Dead,failed  ", EventFilter(statuses=frozenset({Status.DEAD, Status.FAILED}))),
        ("type:create", EventFilter(types=frozenset({EventType.SUBSCRIPTION_ORDER}))),
        ("type:Subscription_Cancel", EventFilter(types=frozenset({EventType.SUBSCRIPTION_CANCEL}))),
        ('product:shop account:"Acme, Inc."', EventFilter(product_id="shop", account_id="Acme, Inc.")),
        (f"integration:{UUID.upper()}", EventFilter(integration_id=UUID)),
        ("accepted:2h..1h", EventFilter(from_ms=NOW_MS - 2 * HOUR_MS, to_ms=NOW_MS - HOUR_MS)),
        ("accepted:2026-11-21..", EventFilter(from_ms=1_795_219_200_000)),
        ("accepted:..1795219200000", EventFilter(to_ms=1_795_219_200_000)),
    ],
)
def test_plain_fields_are_the_old_parameters(text: str, condition: EventFilter) -> None:
    assert read(text) == condition


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-status:dead", Term(Field.STATUS, ("DEAD",), negated=True)),
        ("account:a,b,a", Term(Field.ACCOUNT, ("a", "b"))),
        ("integration:4711", Term(Field.INTEGRATION, ("4711",))),
        ("since:90s", Term(Field.SINCE, bounds=(Bounds(NOW_MS - 90_000),))),
        ("until:7D", Term(Field.UNTIL, bounds=(Bounds(None, NOW_MS - 168 * HOUR_MS),))),
        ("since:2026-11-21T01:00:00+01:00", Term(Field.SINCE, bounds=(Bounds(1_795_219_200_000),))),
        ("attempts>3", Term(Field.ATTEMPTS, bounds=(Bounds(4),))),
        ("attempts<=3", Term(Field.ATTEMPTS, bounds=(Bounds(None, 4),))),
        ("attempts:1,3", Term(Field.ATTEMPTS, bounds=(Bounds(1, 2), Bounds(3, 4)))),
        ("http:5xx,404", Term(Field.HTTP, bounds=(Bounds(500, 600), Bounds(404, 405)))),
        ("http>=500", Term(Field.HTTP, bounds=(Bounds(500),))),
        ("next<15m", Term(Field.NEXT, bounds=(Bounds(None, NOW_MS - 900_000),))),
        ("next>=+15m", Term(Field.NEXT, bounds=(Bounds(NOW_MS + 900_000),))),
        ("outcome:timeout", Term(Field.OUTCOME, ("TIMEOUT",))),
        ("reason:Circuit_Open", Term(Field.REASON, ("circuit_open",))),
        ("error:invalid_response", Term(Field.ERROR, ("INVALID_RESPONSE",))),
        ("host:API.acme.example", Term(Field.HOST, ("api.acme.example",))),
        ("id:0195F1C2", Term(Field.ID, ("0195f1c2",))),
        ("acme", Term(Field.WORD, ("acme",))),
        ('-"say \\"hi\\" \\\\"', Term(Field.WORD, ('say "hi" \\',), negated=True)),
        ('"stauts:dead"', Term(Field.WORD, ("stauts:dead",))),
    ],
)
def test_terms_say_what_the_old_parameters_cannot(text: str, expected: Term) -> None:
    assert term(text) == expected


@pytest.mark.parametrize(
    ("text", "position", "length", "says"),
    [
        ("stauts:dead", 1, 6, "at 1: there is no field stauts; status?"),
        ("type:create -productid:x", 14, 9, "at 14: there is no field productid; product?"),
        ("account.id:x", 1, 10, "there is no field account.id"),
        ("status:dad", 8, 3, "at 8: there is no status dad; dead?"),
        ("status:dead,", 13, 1, "status has no value here"),
        ("status: dead", 8, 1, "status has no value here"),
        ("status:dead status:failed", 13, 6, "status is given twice"),
        ("status=dead", 7, 1, "write status:VALUE"),
        ("account>3", 8, 1, "account is not compared"),
        ("attempts>1,2", 12, 1, "compare attempts with one value"),
        ("attempts:many", 10, 4, "give a whole number"),
        ("http:5x", 6, 2, "an HTTP status such as 503"),
        ("since:yesterday", 7, 9, "give an age such as 90s"),
        ("since:+15m", 7, 4, "give an age"),
        ("since:1h,2h", 10, 2, "since has one value"),
        ("accepted:1h", 10, 2, "give A..B"),
        ("accepted:1h..2h", 10, 6, "ends before it begins"),
        ("accepted:soon..1h", 10, 4, "give an age"),
        ("accepted:1h..soon", 14, 4, "give an age"),
        ("id:0195f1c", 4, 7, "8 or more of its first characters"),
        ('account:"acme', 9, 5, "the quote is not closed"),
        ('account:"acme"x', 15, 1, "put a space between terms"),
        ("a OR b", 3, 2, "a space is AND"),
        ("-", 1, 1, "- negates"),
        (":", 1, 1, "a field stands before :"),
        ("status:dead >5", 13, 1, "a field stands before >"),
        ("-=x", 2, 1, "a field stands before ="),
        ("a\x00", 2, 1, "control characters"),
        ('account:""', 9, 2, "give 1 to 255 characters"),
        ("payload:4711 since:1h", 1, 7, "name a field of the payload"),
        ("payload.id:4711", 1, 10, "beside since:AGE or a failure"),
        ("x" * (MAX_CHARS + 5), MAX_CHARS + 1, 5, "at most 1000 characters"),
        ("a " * 21, 41, 2, "at most 20 terms"),
        ("account:" + ",".join("x" * 101), 209, 1, "at most 100 values"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(text: str, position: int, length: int, says: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read(text)
    (problem,) = refused.value.problems
    assert (problem.code, problem.field, problem.position, problem.length) == ("invalid_filter", "q", position, length)
    assert says in problem.message


def test_a_field_is_given_once_whichever_way() -> None:
    kinds = frozenset({EventType.ADDON_BIND})
    assert len(read("attempts>1 attempts<9 -http:404 http:4xx -account:b account:a", types=kinds).terms) == 5
    for text, beside in (
        ("status:dead", {"statuses": FAILURES}),
        ("account:a,b", {"account_id": "c"}),
        ("accepted:..1h", {"from_ms": 1}),
        ("accepted:1h..", {"to_ms": 1}),
    ):
        with pytest.raises(InvalidRequest, match="given twice"):
            read(text, **beside)


def test_both_forms_hold_together() -> None:
    both = read("status:dead", account_id="A")
    assert both == EventFilter(statuses=frozenset({Status.DEAD}), account_id="A")


@pytest.mark.parametrize("beside", ["since:2h", "status:dead", "status:failed,expired"])
def test_a_payload_is_searched_beside_a_time_or_a_failure(beside: str) -> None:
    found = read(f"{beside} payload.order.items.0.code:BASIC,7")
    assert Term(Field.PAYLOAD, ("BASIC", "7"), path="order.items.0.code") in found.terms
    assert read_filter("payload.a:1", NOW_MS, of_failures=True).terms


TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=12)
TIMES = st.integers(0, 4_000_000_000_000)


def _values(field: Field, of: st.SearchStrategy[str]) -> st.SearchStrategy[Term]:
    several = st.lists(of, min_size=2, max_size=3, unique=True).map(tuple)
    return st.builds(Term, st.just(field), several, negated=st.booleans())


def _ranges(numbers: st.SearchStrategy[int]) -> st.SearchStrategy[Bounds]:
    pairs = st.lists(numbers, min_size=2, max_size=2, unique=True).map(sorted)
    one_sided = st.builds(Bounds, numbers, st.none()) | st.builds(Bounds, st.none(), numbers)
    return one_sided | pairs.map(lambda pair: Bounds(*pair))


def _bounds(field: Field, numbers: st.SearchStrategy[int]) -> st.SearchStrategy[Term]:
    several = st.lists(_ranges(numbers), min_size=1, max_size=3, unique=True).map(tuple)
    return st.builds(Term, st.just(field), bounds=several, negated=st.booleans())


TERMS = st.one_of(
    *(_values(field, TEXTS) for field in (Field.PRODUCT, Field.ACCOUNT, Field.INTEGRATION, Field.CLIENT, Field.KEY)),
    _values(Field.ERROR, st.sampled_from(["TIMEOUT", "A B", 'Q"\\'])),
    _values(Field.OUTCOME, st.sampled_from([outcome.value for outcome in Outcome])),
    _values(Field.REASON, st.sampled_from([reason.value for reason in Reason])),
    _values(Field.ID, st.sampled_from([EVENT_ID, EVENT_ID[:8], EVENT_ID[:20]])),
    _values(Field.PAYLOAD, TEXTS | st.just("")).map(
        lambda term: Term(term.field, term.values, (), term.negated, "a.0")
    ),
    _bounds(Field.ATTEMPTS, st.integers(0, 999)),
    _bounds(Field.HTTP, st.integers(100, 999)),
    _bounds(Field.NEXT, TIMES),
    st.builds(lambda ms: Term(Field.SINCE, bounds=(Bounds(ms),)), TIMES),
    st.builds(lambda ms: Term(Field.UNTIL, bounds=(Bounds(None, ms),)), TIMES),
    st.builds(lambda word, no: Term(Field.WORD, (word,), negated=no), TEXTS, st.booleans()),
)
FILTERS = st.builds(
    EventFilter,
    st.frozensets(st.sampled_from(Status)),
    st.frozensets(st.sampled_from(EventType)),
    st.none() | TEXTS,
    st.none() | TEXTS,
    st.none() | st.just(UUID),
    terms=st.lists(TERMS, max_size=5, unique_by=lambda one: one.field).map(tuple),
)


@settings(max_examples=100)
@given(FILTERS, st.none() | _ranges(TIMES))
def test_a_printed_filter_is_read_as_the_same(condition: EventFilter, accepted: Bounds | None) -> None:
    plain = {
        Field.PRODUCT: condition.product_id,
        Field.ACCOUNT: condition.account_id,
        Field.INTEGRATION: condition.integration_id,
    }
    twice = {field for field, value in plain.items() if value is not None}
    condition = replace(condition, terms=tuple(one for one in condition.terms if one.field not in twice))
    if accepted is not None:
        condition = EventFilter(from_ms=accepted.least, to_ms=accepted.below, terms=condition.terms)
    text = print_filter(condition)
    if len(text) <= MAX_CHARS:
        assert read_filter(text, 0, of_failures=True) == condition


@settings(max_examples=100)
@given(
    st.text(max_size=40)
    | st.lists(st.sampled_from(["status", ":", '"', "-", " ", ",", "dead", "<", "\\", ".."])).map("".join)
)
def test_any_text_is_read_or_refused_with_a_place_in_it(text: str) -> None:
    try:
        read(text)
    except InvalidRequest as refused:
        (problem,) = refused.problems
        assert problem.position in range(1, len(text) + 2)
        assert problem.length
