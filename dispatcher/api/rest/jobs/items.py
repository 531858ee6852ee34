"""Results of a bulk job, one for each event that was handled: a page of JSON, or all of them as NDJSON."""

from __future__ import annotations

from aiohttp import hdrs, web

from dispatcher.api.http.request.body import NDJSON
from dispatcher.api.http.request.query import integer, invalid_parameter
from dispatcher.api.http.response.respond import NO_SNIFFING, json_response
from dispatcher.api.http.route import Route
from dispatcher.api.rest.jobs.models import RedeliveryItemsOut
from dispatcher.api.rest.jobs.redeliveries import REDELIVERIES, job_within_reach
from dispatcher.api.rest.jobs.redelivery_json import item_json
from dispatcher.model import exact_numbers
from dispatcher.model.access import Scope

DEFAULT_LIMIT = 100
MAX_LIMIT = 1000


async def list_items(request: web.Request) -> web.StreamResponse:
    """In the order in which events were handled; with ``Accept: application/x-ndjson`` all of them, one a line."""
    job = await job_within_reach(request)
    store = request.app[REDELIVERIES]
    if NDJSON in request.headers.get(hdrs.ACCEPT, ""):
        return await _all_of(request, job.id)
    limit = integer(request.query, "limit", DEFAULT_LIMIT, 1, MAX_LIMIT)
    first = _first(request.query.get("cursor"))
    items = await store.items(job.id, first, limit)
    cursor = str(first + limit) if len(items) == limit else None
    return json_response({"data": [item_json(item) for item in items], "nextCursor": cursor})


def _first(cursor: str | None) -> int:
    if cursor is None:
        return 0
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 6):
        raise invalid_parameter("cursor", "Use nextCursor of an earlier answer, unchanged.")
    return int(cursor)


async def _all_of(request: web.Request, job_id: str) -> web.StreamResponse:
    store, first = request.app[REDELIVERIES], 0
    answer = web.StreamResponse(headers={**NO_SNIFFING, hdrs.CONTENT_TYPE: NDJSON})
    items = await store.items(job_id, first, MAX_LIMIT)
    await answer.prepare(request)
    while items:
        await answer.write(b"".join(exact_numbers.dumps(item_json(item)) + b"\n" for item in items))
        first += len(items)
        items = await store.items(job_id, first, MAX_LIMIT)
    await answer.write_eof()
    return answer


ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/v1/redeliveries/{id}/items",
        list_items,
        (Scope.OPS_READ, Scope.OPS_WRITE),
        "What became of each event",
        answers={200: RedeliveryItemsOut},
        vendors=True,
    ),
)
