"""From ``EventFilter`` to the checks that ``list.lua`` makes of each event, cheapest first. Pure; asks nothing.

Fields of a check: field, negated, and values (a set), bounds, or what the field needs; the script names them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from dispatcher.model.event_type import EventType
from dispatcher.model.queue import EventFilter
from dispatcher.model.status import FAILURES
from dispatcher.model.term import Bounds, Field, Term
from dispatcher.policy.event_filter.fields import begins_an_id

Check = dict[str, Any]

REPORTS = frozenset({EventType.SUBSCRIPTION_STATUS, EventType.OPERATIONAL, EventType.MARKETPLACE_CALLBACK})
"""Types that report on other events: listed when they, an event by its id, or nothing but failures are asked for."""

_COST = (
    *("integration", "account", "type", "id", "product", "client", "word"),
    *("accepted", "error", "attempts", "failed", "next"),
)
"""The cheapest first; those that are not here ask Redis for more, or read a document."""


def checks_of(condition: EventFilter) -> bytes:
    """JSON for the script."""
    return orjson.dumps(check_list(condition))


def check_list(condition: EventFilter) -> list[Check]:
    """The cheapest first."""
    found = [*_plain(condition), *(_check(term) for term in condition.terms)]
    if not condition.types and not _names_events(condition) and not _only_failures(condition):
        found.append(_of("type", negated=True, values=_set(REPORTS)))
    return sorted(found, key=_cost)


def _only_failures(condition: EventFilter) -> bool:
    """A report that failed is a dead letter like any other: it is counted, listed and redelivered with them."""
    return bool(condition.statuses) and condition.statuses <= FAILURES


def _plain(condition: EventFilter) -> Iterator[Check]:
    if condition.integration_id is not None:
        yield _of("integration", values=_set([condition.integration_id]))
    elif condition.lanes is not None:
        yield _of("integration", values=_set(condition.lanes))
    if condition.account_id is not None:
        yield _of("account", values=_set([condition.account_id]))
    if condition.product_id is not None:
        yield _of("product", products=[_product(condition.product_id)])
    if condition.types:
        yield _of("type", values=_set(condition.types))
    if condition.from_ms is not None or condition.to_ms is not None:
        yield _of("accepted", bounds=_pairs([Bounds(condition.from_ms, condition.to_ms)]))
    if condition.statuses:
        yield _of("status", values=_set(condition.statuses))


def _check(term: Term) -> Check:
    match term.field:
        case Field.INTEGRATION:
            return _of("integration", negated=term.negated, values=_set(term.integrations))
        case Field.PRODUCT:
            return _of("product", negated=term.negated, products=[_product(value) for value in term.values])
        case Field.ID:
            return _of("id", negated=term.negated, starts=list(term.values))
        case Field.WORD:
            return _word(term)
        case Field.PAYLOAD:
            contains = [orjson.dumps(value).decode()[1:-1] for value in term.values]
            path = term.path.split(".")
            return _of("payload", negated=term.negated, values=_set(term.values), contains=contains, path=path)
        case Field.SINCE | Field.UNTIL:
            return _of("failed", negated=term.negated, bounds=_pairs(term.bounds))
        case Field.ATTEMPTS | Field.HTTP | Field.NEXT | Field.ACCEPTED:
            return _of(term.field.value, negated=term.negated, bounds=_pairs(term.bounds))
    return _of(term.field.value, negated=term.negated, values=_set(term.values))


def _word(term: Term) -> Check:
    word = term.values[0]
    starts = [word.lower()] if begins_an_id(word.lower()) else []
    parts = {"accounts": _set([word]), "products": [_product(word)], "starts": starts, "lanes": _set(term.integrations)}
    return _of("word", negated=term.negated, **parts)


def _names_events(condition: EventFilter) -> bool:
    return any(term.field is Field.ID and not term.negated for term in condition.terms)


def _of(field: str, *, negated: bool = False, **parts: Any) -> Check:
    return {"field": field, "negated": negated, **parts}


def _set(values: Iterable[str]) -> dict[str, bool]:
    """A table whose members are looked up; never a list to the script, also when it is empty."""
    return dict.fromkeys((str(value) for value in values), True)


def _pairs(bounds: Iterable[Bounds]) -> list[list[int | bool]]:
    """False = no bound."""
    return [[False if end is None else end for end in one] for one in bounds]


def _product(product_id: str) -> str:
    """As the document has it."""
    return f',"p":{orjson.dumps(product_id).decode()}'


def _cost(check: Check) -> int:
    field = check["field"]
    return _COST.index(field) if field in _COST else len(_COST) + (field == "payload")
