"""Every event that a filter finds as NDJSON, newest first, one a line. Holds a page at a time, whoever reads slowly.

An error in the middle is the last line: ``errors``, and ``nextCursor``, from which another request goes on.
"""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import hdrs, web

from dispatcher.api.http.overload.turns import EXPORT_TURNS, share_of
from dispatcher.api.http.request.body import NDJSON
from dispatcher.api.http.request.query import integer, invalid_parameter
from dispatcher.api.http.response.middleware import REQUEST_ID
from dispatcher.api.http.response.respond import NO_SNIFFING
from dispatcher.api.http.route import ADMISSION, CALLER
from dispatcher.api.rest.events.asked.events import narrowed, searched_for
from dispatcher.api.rest.events.asked.filters import Asked
from dispatcher.api.rest.events.shown.event_json import event_json
from dispatcher.api.services import SERVICES
from dispatcher.errors import Problem, RequestError, StoreUnavailable
from dispatcher.model import exact_numbers
from dispatcher.model.queue import Page

PAGE = 500
READ_WITHIN_S = 30.0
"""Time in which a page is taken off the network; then the connection is cut."""
MOST = 10**15 - 1


def is_export(request: web.Request) -> bool:
    """True when all that matches is asked for."""
    return NDJSON in request.headers.get(hdrs.ACCEPT, "")


async def export_events(request: web.Request) -> web.StreamResponse:
    """All of them, or ``limit``. What is wrong with the request is answered as anywhere else, before the first line."""
    for name in ("page", "size"):
        if name in request.query:
            raise invalid_parameter(name, "An export has no pages; give limit, or leave it out.")
    left = integer(request.query, "limit", MOST, 1, MOST)
    await request.app[EXPORT_TURNS].begin(share_of(request[CALLER]))
    asked = await searched_for(request)
    page = await _page(request, asked, asked.cursor, left)
    answer = web.StreamResponse(headers={**NO_SNIFFING, hdrs.CONTENT_TYPE: NDJSON})
    if request.method == hdrs.METH_HEAD:
        return answer
    await answer.prepare(request)
    while True:
        await _write(request, answer, page)
        left -= len(page.items)
        cursor = page.next_cursor
        if cursor is None or left <= 0:
            break
        try:
            await request[ADMISSION].renewed(request)
            page = await _page(request, asked, cursor, left)
        except (RequestError, StoreUnavailable) as error:
            await answer.write(_line(_broken_off(error, asked.onward(cursor), request[REQUEST_ID])))
            break
    await answer.write_eof()
    return answer


async def _page(request: web.Request, asked: Asked, cursor: str | None, left: int) -> Page:
    condition = await narrowed(request, asked)
    if condition is None:
        return Page([], None)
    return await request.app[SERVICES].reads.page(condition, cursor, min(left, PAGE))


async def _write(request: web.Request, answer: web.StreamResponse, page: Page) -> None:
    base_url = request.app[SERVICES].deployment.base_url
    try:
        async with asyncio.timeout(READ_WITHIN_S):
            await answer.write(b"".join(_line(event_json(stored, base_url)) for stored in page.items))
    except TimeoutError:
        if request.transport is not None:
            request.transport.abort()
        raise ConnectionResetError("nobody takes the export off the network") from None


def _line(body: dict[str, Any]) -> bytes:
    return exact_numbers.dumps(body) + b"\n"


def _broken_off(error: RequestError | StoreUnavailable, cursor: str | None, request_id: str) -> dict[str, Any]:
    problems = error.problems if isinstance(error, RequestError) else [Problem("store_unavailable", str(error))]
    return {"errors": [one.as_json() for one in problems], "nextCursor": cursor, "requestId": request_id}
