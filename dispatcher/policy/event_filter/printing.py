"""From ``EventFilter`` back to the text of a filter: read again, it is the same. Times are absolute. Pure.

Leaves out what narrows a filter to its caller: ``vendor_id`` and ``lanes``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dispatcher.clock import iso_ms
from dispatcher.model.queue import EventFilter
from dispatcher.model.term import Bounds, Field, Term
from dispatcher.policy.event_filter.scanning import needs_quotes

_MOMENTS = frozenset({Field.NEXT, Field.SINCE, Field.UNTIL, Field.ACCEPTED})
_LOWERED = frozenset({Field.STATUS, Field.TYPE, Field.OUTCOME})


def print_filter(condition: EventFilter) -> str:
    """Terms joined by a space; empty = every event."""
    return " ".join([*_plain(condition), *map(print_term, condition.terms)])


def print_term(term: Term) -> str:
    sign = "-" if term.negated else ""
    if term.field is Field.WORD:
        return sign + _quoted(term.values[0], is_word=True)
    name = f"{term.field}.{term.path}" if term.path else term.field.value
    if not term.bounds:
        return f"{sign}{name}:{','.join(_value(term.field, value) for value in term.values)}"
    only = term.bounds[0] if len(term.bounds) == 1 else None
    if term.field is Field.SINCE or term.field is Field.UNTIL:
        least, below = term.bounds[0]
        return f"{sign}{name}:{_number(term.field, (least if term.field is Field.SINCE else below) or 0)}"
    if only and term.field is not Field.ACCEPTED and (only.least is None or only.below is None):
        return sign + name + _comparison(term.field, only)
    return f"{sign}{name}:{','.join(_bounds(term.field, one) for one in term.bounds)}"


def _plain(condition: EventFilter) -> Iterator[str]:
    texts: tuple[tuple[Field, Iterable[str | None]], ...] = (
        (Field.STATUS, sorted(condition.statuses)),
        (Field.TYPE, sorted(condition.types)),
        (Field.PRODUCT, [condition.product_id]),
        (Field.ACCOUNT, [condition.account_id]),
        (Field.INTEGRATION, [condition.integration_id]),
    )
    for field, values in texts:
        given = tuple(value for value in values if value is not None)
        if given:
            yield print_term(Term(field, given))
    if condition.from_ms is not None or condition.to_ms is not None:
        yield print_term(Term(Field.ACCEPTED, bounds=(Bounds(condition.from_ms, condition.to_ms),)))


def _value(field: Field, value: str) -> str:
    return value.lower() if field in _LOWERED else _quoted(value, is_word=False)


def _quoted(text: str, *, is_word: bool) -> str:
    if not needs_quotes(text, is_word=is_word):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _number(field: Field, number: int) -> str:
    return iso_ms(number) if field in _MOMENTS else str(number)


def _comparison(field: Field, bounds: Bounds) -> str:
    if bounds.least is not None:
        return f">={_number(field, bounds.least)}"
    return f"<{_number(field, bounds.below or 0)}"


def _bounds(field: Field, bounds: Bounds) -> str:
    least, below = bounds
    if least is not None and below is not None and field not in _MOMENTS:
        if field is Field.HTTP and below - least == 100 and least % 100 == 0:
            return f"{least // 100}xx"
        if below - least == 1:
            return str(least)
    ends = ("" if end is None else _number(field, end) for end in (least, below))
    return "..".join(ends)
