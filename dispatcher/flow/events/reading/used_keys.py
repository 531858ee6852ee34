"""Looks up the events that a filter names by the idempotency keys that they were accepted with."""

from __future__ import annotations

from dataclasses import replace

from dispatcher.model.queue import EventFilter
from dispatcher.model.term import Field, Term
from dispatcher.store.queue.events import QueueStore

_NO_EVENT = "00000000-0000-7000-8000-000000000000"
"""Of a key that nobody used within 24 hours."""


async def with_used_keys(condition: EventFilter, client_id: str, queue: QueueStore) -> EventFilter:
    """The filter with events' ids in place of keys, which are of the clients that it names, else of this one."""
    if not any(term.field is Field.KEY for term in condition.terms):
        return condition
    named = [term.values for term in condition.terms if term.field is Field.CLIENT and not term.negated]
    clients = named[0] if named else (client_id,)

    async def plain(term: Term) -> Term:
        if term.field is not Field.KEY:
            return term
        found = await queue.events_of_keys([(client, key) for client in clients for key in term.values])
        return Term(Field.ID, tuple(found) or (_NO_EVENT,), negated=term.negated)

    return replace(condition, terms=tuple([await plain(term) for term in condition.terms]))
