"""The one filter grammar of events: from a query string or from a JSON body to ``EventFilter``."""

from __future__ import annotations

from multidict import MultiDict, MultiMapping

from dispatcher.api.http.query import moment_ms, name_of, several
from dispatcher.api.rest.models import FilterIn
from dispatcher.model.event_type import EventType, parse_event_type
from dispatcher.model.queue import EventFilter
from dispatcher.model.status import Status

_STATUSES = {status.value: status for status in Status}


def filter_from_query(query: MultiMapping[str]) -> EventFilter:
    """400 ``invalid_parameter`` for a condition that cannot be read."""
    return EventFilter(
        statuses=several(query, "status", lambda name: _STATUSES.get(name.upper()), list(_STATUSES)),
        types=several(query, "type", parse_event_type, [kind.value for kind in EventType]),
        product_id=name_of(query, "productId"),
        account_id=name_of(query, "accountId"),
        integration_id=name_of(query, "integrationId"),
        from_ms=moment_ms(query, "from", "fromDate"),
        to_ms=moment_ms(query, "to", "toDate"),
    )


def filter_from_body(body: FilterIn) -> EventFilter:
    """The same conditions, written as JSON."""
    query: MultiDict[str] = MultiDict()
    for name, value in body.model_dump(by_alias=True, exclude_none=True).items():
        for one in value if isinstance(value, list) else [value]:
            query.add(name, str(one))
    return filter_from_query(query)
