"""From the text of a filter to ``EventFilter``. Pure: integrations stay as they were named, ages become times."""

from __future__ import annotations

from dataclasses import replace

from dispatcher.model.event_type import EventType
from dispatcher.model.queue import EventFilter
from dispatcher.model.status import FAILURES, Status
from dispatcher.model.term import Field, Term
from dispatcher.policy.event_filter.fields import read_term
from dispatcher.policy.event_filter.scanning import RawTerm, invalid, scan

_UUID_CHARS = 36
_NOTHING = EventFilter()


def read_filter(text: str, now_ms: int, beside: EventFilter = _NOTHING, *, of_failures: bool = False) -> EventFilter:
    """The filter of the text and ``beside`` together. Raises ``InvalidRequest`` (invalid_filter), which says where.

    ``beside``: the same fields given in another way; a field that is in both is given twice. ``of_failures``: whoever
    asks looks at failed events only, whatever the filter says.
    """
    raws = scan(text)
    condition, seen = beside, _given(beside)
    for raw in raws:
        term = read_term(raw, now_ms)
        _refuse_twice(raw, term, seen)
        condition = _with(condition, term)
    if not of_failures:
        _require_fewer_payloads(raws, condition)
    return condition


def _with(condition: EventFilter, term: Term) -> EventFilter:
    """The condition with a term more, in the plainest form."""
    if not term.negated:
        only = term.values[0] if len(term.values) == 1 else None
        match term.field:
            case Field.STATUS:
                return replace(condition, statuses=frozenset(map(Status, term.values)))
            case Field.TYPE:
                return replace(condition, types=frozenset(map(EventType, term.values)))
            case Field.PRODUCT if only:
                return replace(condition, product_id=only)
            case Field.ACCOUNT if only:
                return replace(condition, account_id=only)
            case Field.INTEGRATION if only and len(only) == _UUID_CHARS:
                return replace(condition, integration_id=only.lower())
            case Field.ACCEPTED:
                return replace(condition, from_ms=term.bounds[0].least, to_ms=term.bounds[0].below)
    return replace(condition, terms=(*condition.terms, term))


_Given = tuple[Field, str, bool, bool]
"""Field, path, negated, and True for an upper bound: one of each kind may be given."""


def _key(term: Term) -> _Given:
    is_upper = bool(term.bounds) and term.bounds[0].least is None
    return term.field, term.path, term.negated, is_upper


def _refuse_twice(raw: RawTerm, term: Term, seen: set[_Given]) -> None:
    if term.field is Field.WORD:
        return
    key = _key(term)
    if key in seen or (term.field is Field.ACCEPTED and any(one[0] is Field.ACCEPTED for one in seen)):
        raise invalid(raw.at, raw.length, f"{raw.name} is given twice; a comma joins several values")
    seen.add(key)


def _given(condition: EventFilter) -> set[_Given]:
    given = {
        Field.STATUS: condition.statuses,
        Field.TYPE: condition.types,
        Field.PRODUCT: condition.product_id,
        Field.ACCOUNT: condition.account_id,
        Field.INTEGRATION: condition.integration_id,
        Field.ACCEPTED: condition.from_ms is not None or condition.to_ms is not None,
    }
    return {(field, "", False, False) for field, value in given.items() if value} | {
        _key(term) for term in condition.terms
    }


def _require_fewer_payloads(raws: list[RawTerm], condition: EventFilter) -> None:
    """Payloads are read one by one, so they are searched only among failed events, or those of some time."""
    searched = next((raw for raw in raws if raw.name.lower().startswith("payload.")), None)
    if searched is None or (condition.statuses and condition.statuses <= FAILURES):
        return
    if not any(term.field is Field.SINCE and not term.negated for term in condition.terms):
        text = "a payload is searched beside since:AGE or a failure, such as status:dead"
        raise invalid(searched.at, searched.length, text)
