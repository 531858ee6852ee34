"""Filters: what each operator lets through, and what is wrong with a filter."""

from __future__ import annotations

from typing import Any

import pytest

from dispatcher.model.event_type import EventType
from dispatcher.policy.integration_filter.filter import (
    Ruling,
    compile_filter,
    filter_problems,
)
from tests.unit.policy.integration_filter.judged import event, judged


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


def test_what_is_not_met_is_named() -> None:
    document = {"productId": "P", "payload.order.editionCode": {"$in": ["BASIC", "TEAM"]}}
    assert judged(document).text == 'payload.order.editionCode $in ["BASIC","TEAM"]'
    either = {"$or": [{"flag": "X"}, {"$not": {"accountId": "A"}}]}
    assert judged(either).text == '(flag $eq "X" or not (accountId $eq "A"))'


def test_notifications_about_other_events_pass() -> None:
    only_orders = compile_filter({"type": "SUBSCRIPTION_ORDER"})
    assert only_orders.judge(event(EventType.SUBSCRIPTION_STATUS)).ruling is Ruling.PASSES
    assert only_orders.judge(event(EventType.SUBSCRIPTION_CANCEL)).ruling is Ruling.LEFT_OUT
