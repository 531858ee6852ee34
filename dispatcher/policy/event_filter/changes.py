"""The part of a filter that a status change answers by itself; what is left is asked of the event. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from dispatcher.model.event_type import EventType
from dispatcher.model.queue import Change, EventFilter
from dispatcher.model.term import Bounds, Field, Term

_ANY = EventFilter(types=frozenset(EventType))
_Holds = Callable[[Term, Change], bool]


def is_met_by(condition: EventFilter, change: Change) -> bool:
    """True when the change meets all of the filter that changes know."""
    return (
        (not condition.statuses or change.status in condition.statuses)
        and (not condition.types or change.type in condition.types)
        and condition.integration_id in (None, change.integration_id)
        and condition.account_id in (None, change.account_id)
        and (condition.lanes is None or change.integration_id in condition.lanes)
        and all(_HOLDS[term.field](term, change) != term.negated for term in condition.terms if term.field in _HOLDS)
    )


def left_to_the_event(condition: EventFilter) -> EventFilter | None:
    """Conditions that changes know nothing of; None = there are none."""
    left = replace(
        _ANY,
        product_id=condition.product_id,
        from_ms=condition.from_ms,
        to_ms=condition.to_ms,
        terms=tuple(term for term in condition.terms if term.field not in _HOLDS),
    )
    return None if left == _ANY else left


def _is_within(number: int | None, bounds: Iterable[Bounds]) -> bool:
    return number is not None and any(one.hold(number) for one in bounds)


_HOLDS: Mapping[Field, _Holds] = {
    Field.STATUS: lambda term, change: change.status in term.values,
    Field.TYPE: lambda term, change: change.type in term.values,
    Field.ACCOUNT: lambda term, change: change.account_id in term.values,
    Field.INTEGRATION: lambda term, change: change.integration_id in term.integrations,
    Field.ID: lambda term, change: change.event_id.startswith(term.values),
    Field.ATTEMPTS: lambda term, change: _is_within(change.attempt, term.bounds),
    Field.HTTP: lambda term, change: _is_within(change.http_status, term.bounds),
}
