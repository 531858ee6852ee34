"""Filters of events as requests give them: parameters and ``q``, or a JSON body with fields or a text."""

from __future__ import annotations

from dataclasses import dataclass

from multidict import MultiDict, MultiMapping

from dispatcher.api.http.request.query import MAX_EPOCH_MS, invalid_parameter, moment_ms, name_of, several
from dispatcher.api.rest.events.asked.models import FilterIn
from dispatcher.errors import InvalidRequest
from dispatcher.model.event_type import EventType, parse_event_type
from dispatcher.model.queue import EventFilter
from dispatcher.model.status import Status
from dispatcher.policy.event_filter.reading import read_filter

_MOMENT = "."
"""Between the store's cursor and the moment that ages count from."""
_STATUSES = {status.value: status for status in Status}


@dataclass(frozen=True, slots=True)
class Asked:
    """A filter, and a place in its list.

    Ages in the text count from ``moment_ms``, which a cursor keeps, so that every page is of the same list.
    """

    condition: EventFilter
    cursor: str | None
    moment_ms: int
    is_text: bool

    def onward(self, cursor: str | None) -> str | None:
        """The store's cursor as callers get it."""
        return f"{cursor}{_MOMENT}{self.moment_ms}" if cursor is not None and self.is_text else cursor


def asked_in(query: MultiMapping[str], now_ms: int) -> Asked:
    """As ``filter_from_query``, with the cursor."""
    cursor, is_text = query.get("cursor"), "q" in query
    moment_ms = now_ms
    if cursor is not None and is_text:
        cursor, _, moment = cursor.partition(_MOMENT)
        if not (moment.isascii() and moment.isdigit() and int(moment[:16]) <= MAX_EPOCH_MS):
            raise InvalidRequest.of("invalid_cursor", "use nextCursor of an earlier answer, unchanged", "cursor")
        moment_ms = int(moment[:16])
    return Asked(filter_from_query(query, moment_ms), cursor, moment_ms, is_text)


def filter_from_query(query: MultiMapping[str], now_ms: int) -> EventFilter:
    """400 ``invalid_parameter`` for a condition that cannot be read, ``invalid_filter`` for a ``q``.

    Ages in ``q`` count from ``now_ms``.
    """
    beside = _parameters(query)
    if "q" not in query:
        return beside
    if not query["q"].strip():
        raise invalid_parameter("q", "Give a filter, or leave it out: an empty one would find everything.")
    return read_filter(query["q"], now_ms, beside)


def _parameters(query: MultiMapping[str]) -> EventFilter:
    return EventFilter(
        statuses=several(query, "status", lambda name: _STATUSES.get(name.upper()), list(_STATUSES)),
        types=several(query, "type", parse_event_type, [kind.value for kind in EventType]),
        product_id=name_of(query, "productId"),
        account_id=name_of(query, "accountId"),
        integration_id=name_of(query, "integrationId"),
        from_ms=moment_ms(query, "from", "fromDate"),
        to_ms=moment_ms(query, "to", "toDate"),
    )


def filter_from_body(body: FilterIn, now_ms: int, *, of_failures: bool) -> EventFilter:
    """The same conditions, written as JSON."""
    query: MultiDict[str] = MultiDict()
    for name, value in body.model_dump(by_alias=True, exclude_none=True, exclude={"q"}).items():
        for one in value if isinstance(value, list) else [value]:
            query.add(name, str(one))
    beside = _parameters(query)
    return beside if body.q is None else read_filter(body.q, now_ms, beside, of_failures=of_failures)
