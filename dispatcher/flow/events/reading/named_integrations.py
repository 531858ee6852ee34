"""Looks up the integrations that a filter names: by UUID, number, connector id, or their exact name in any case."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from dispatcher.model.queue import EventFilter
from dispatcher.model.term import Field, Term
from dispatcher.policy.event_filter.fields import is_event_id
from dispatcher.store.definitions.editing import Definitions

PAGE = 1000


async def with_integrations(condition: EventFilter, definitions: Definitions) -> EventFilter:
    """The filter with the ids of the integrations that it names as of now; one that is not there finds nothing."""
    asked = [term for term in condition.terms if term.field in (Field.INTEGRATION, Field.WORD)]
    if not asked:
        return condition
    view = definitions.of_vendor(condition.vendor_id)
    known = await _by_ids({value for term in asked if term.field is Field.INTEGRATION for value in term.values}, view)
    names = {value.casefold() for term in asked for value in term.values if not (value in known or is_event_id(value))}
    known |= await _by_names(names, view) if names else {}
    return replace(condition, terms=tuple(_named(term, known) if term in asked else term for term in condition.terms))


def _named(term: Term, known: dict[str, frozenset[str]]) -> Term:
    found = (known.get(value) or known.get(value.casefold(), frozenset()) for value in term.values)
    return replace(term, integrations=frozenset[str]().union(*found))


async def _by_ids(names: Iterable[str], view: Definitions) -> dict[str, frozenset[str]]:
    """Of an integration that is gone, its UUID: what is left of it can still be found."""
    found: dict[str, frozenset[str]] = {}
    for name in names:
        integration = await view.integration(name)
        if integration is not None:
            found[name] = frozenset({integration.id})
        elif _is_uuid(name):
            found[name] = frozenset({name.lower()})
    return found


async def _by_names(names: set[str], view: Definitions) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    cursor: str | None = None
    while True:
        page = await view.integrations(cursor, PAGE)
        for one in page.items:
            name = one.name.casefold()
            if name in names:
                found[name] = found.get(name, frozenset()) | {one.id}
        cursor = page.next_cursor
        if cursor is None:
            return found


def _is_uuid(name: str) -> bool:
    return len(name) == 36 and name.count("-") == 4
