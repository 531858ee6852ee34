"""``ETag``, ``If-Match`` and ``If-None-Match`` of records (RFC 9110 §13.1): what may be changed, what need not be sent.

Never reads a record: a change is handed the condition, and decides by the record that it is about to replace.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import hdrs, web

from dispatcher.api.http.route import Handler
from dispatcher.errors import Conflict, Problem, RequestError
from dispatcher.model.precondition import NO_RECORD, Precondition

_TAG = re.compile(r'(W/)?"([^"]*)"|([^\s,"]+)')
"""One member of a list; without quotes as people type it into a shell."""
_ANY = "*"
_KEPT_BY_304 = (hdrs.ETAG, hdrs.CACHE_CONTROL, hdrs.CONTENT_LOCATION, hdrs.EXPIRES, hdrs.VARY)
"""RFC 9110 §15.4.5."""


def tagged(modified_ms: int) -> dict[str, str]:
    """The header that names this state of a record."""
    return {hdrs.ETAG: f'"{modified_ms}"'}


@contextmanager
def expected(request: web.Request) -> Iterator[Precondition | None]:
    """The condition on the tag of what is changed, None = any; a conflict in the block is then 412.

    Tags of ``If-Match`` are compared strongly, those of ``If-None-Match`` weakly.
    """
    condition = _condition(request)
    try:
        yield condition
    except Conflict as error:
        if condition is None or error.problems[0].code != "modified_meanwhile":
            raise
        name = hdrs.IF_MATCH if hdrs.IF_MATCH in request.headers else hdrs.IF_NONE_MATCH
        text = f"It is not in a state that {name} allows: get it again, then repeat with its ETag."
        raise RequestError([Problem("precondition_failed", text)], 412) from None


def revalidating(handler: Handler) -> Handler:
    """``handler`` of a GET, whose answer is 304 where the asker has it by its ``If-None-Match`` (RFC 9110 §13.1.2)."""

    async def serve(request: web.Request) -> web.StreamResponse:
        answer = await handler(request)
        tag = answer.headers.get(hdrs.ETAG)
        if tag is None or answer.status != 200 or answer.prepared or hdrs.IF_NONE_MATCH not in request.headers:
            return answer
        given = _tags(request, hdrs.IF_NONE_MATCH, weakly=True)
        if given.isdisjoint({_ANY, tag.removeprefix("W/").strip('"')}):
            return answer
        kept = {name: answer.headers[name] for name in _KEPT_BY_304 if name in answer.headers}
        return web.Response(status=304, headers=kept)

    return serve


def _condition(request: web.Request) -> Precondition | None:
    if hdrs.IF_MATCH not in request.headers and hdrs.IF_NONE_MATCH not in request.headers:
        return None
    match = _tags(request, hdrs.IF_MATCH, weakly=False) if hdrs.IF_MATCH in request.headers else {_ANY}
    none_match = _tags(request, hdrs.IF_NONE_MATCH, weakly=True)

    def holds(tag: object) -> bool:
        if tag == NO_RECORD:
            return hdrs.IF_MATCH not in request.headers
        return not match.isdisjoint({_ANY, str(tag)}) and none_match.isdisjoint({_ANY, str(tag)})

    return holds


def _tags(request: web.Request, name: str, *, weakly: bool) -> set[str]:
    """Of all lines of that header. A tag that says of itself that it is weak never equals one strongly."""
    lines = ",".join(request.headers.getall(name, ()))
    return {quoted or plain for weak, quoted, plain in _TAG.findall(lines) if weakly or not weak}
