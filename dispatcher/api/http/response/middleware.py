"""The one middleware: a request id on every answer, a JSON body on every error, a log line when it matters.

Never lets a stack trace out, and does next to nothing for a request that goes well.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Mapping
from itertools import count

import structlog
from aiohttp import web

from dispatcher.api.http.response.asked import Asked
from dispatcher.api.http.response.errors import error_body
from dispatcher.api.http.response.respond import json_response
from dispatcher.api.http.response.store_away import READS, store_away
from dispatcher.api.http.route import Handler
from dispatcher.errors import ArchiveUnavailable, Problem, RecordDamaged, RequestError, StoreDamaged, StoreUnavailable

REQUEST_ID = web.RequestKey("request_id", str)
REQUEST_ID_HEADER = "X-Request-Id"

NOT_KEPT = {"Cache-Control": "no-store"}
"""On every error: a 404 may be kept otherwise (RFC 9111 §4.2.2), a token endpoint has to say it (RFC 6749 §5.1)."""
SLOW_S = 1.0
EMIT_PATHS = frozenset({"/v1/events", "/v1/events/batch"})

ErrorPage = Callable[[web.Request, RequestError, str], web.Response]
"""Request, error and request id → what somebody before a browser is shown."""
ERROR_PAGES = web.AppKey("error_pages", list[tuple[str, ErrorPage]])
"""Paths at and below which errors are pages, with what makes these."""

_CALLER_LEFT = 400
"""Sent to nobody."""
_GIVEN_ID = re.compile(r"[A-Za-z0-9._:-]{1,128}")

_CODES = {
    400: ("bad_request", "The request cannot be read; check its syntax."),
    404: ("not_found", "There is nothing at this address; /openapi.json lists what there is."),
    405: ("method_not_allowed", "This address does not take this method; the Allow header lists those that it takes."),
    413: ("body_too_large", "The body is larger than this server takes; send less at a time."),
}

log = structlog.get_logger("dispatcher.api")


class Edge:
    """The edge of one application. Its request ids start with a text of their own for each process.

    ``emitted`` is called with the status of every request to emit.
    """

    def __init__(self, emitted: Callable[[int], None] | None = None) -> None:
        self._emitted = emitted
        self._prefix, self._numbers = os.urandom(5).hex(), count(1)

    def request_id(self, headers: Mapping[str, str]) -> str:
        """The one that the caller gave, if it is a plain one; else the next."""
        given = headers.get(REQUEST_ID_HEADER)
        return given if given and _GIVEN_ID.fullmatch(given) else f"{self._prefix}-{next(self._numbers):x}"

    @web.middleware
    async def serve(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        started_s = time.perf_counter()
        request_id = request[REQUEST_ID] = self.request_id(request.headers)
        error: Exception | None = None
        try:
            response = await handler(request)
        except ConnectionError:
            if request.transport is None:
                return web.Response(status=_CALLER_LEFT)
            raise
        except Exception as raised:  # the one place that answers for anything
            error = raised
            response = _failure(request, raised, request_id)
        if not response.prepared:
            response.headers[REQUEST_ID_HEADER] = request_id
        self.answered(request, response.status, request_id, started_s, error)
        return response

    def answered(
        self, asked: Asked, status: int, request_id: str, started_s: float, error: Exception | None = None
    ) -> None:
        """Count the answer; log it where it is an error, or took long. ``started_s``: of ``time.perf_counter``."""
        if self._emitted is not None and asked.method == "POST" and asked.path in EMIT_PATHS:
            self._emitted(status)
        duration_s = time.perf_counter() - started_s
        if status >= 400 or (duration_s > SLOW_S and not _is_slow_by_nature(asked)):
            _log(asked, status, request_id, duration_s, error)

    def unheard(self, asked: Asked, error: Exception, request_id: str, started_s: float) -> None:
        """As ``answered``, where nobody is left to be told."""
        self.answered(asked, _as_request_error(asked, error).status, request_id, started_s, error)


EDGE = web.AppKey("edge", Edge)


def _is_slow_by_nature(asked: Asked) -> bool:
    return asked.path == "/v1/events/stream" or "wait" in asked.query


def _failure(request: web.Request, raised: Exception, request_id: str) -> web.StreamResponse:
    if isinstance(raised, web.HTTPException):
        if raised.status < 400:
            raise raised
        if request.method == "CONNECT":
            raised = web.HTTPMethodNotAllowed("CONNECT", ["GET", "POST"])
        if raised.status == 405 and request.method == "OPTIONS":
            return web.Response(status=204, headers={"Allow": raised.headers["Allow"]})
    error = _as_request_error(request, raised)
    response = _error_response(request, error, request_id)
    if error.status in (408, 413) or "Connection" in error.headers:
        response.force_close()
    return response


def _error_response(request: web.Request, error: RequestError, request_id: str) -> web.Response:
    for prefix, error_page in request.app.get(ERROR_PAGES, ()):
        if request.path == prefix or request.path.startswith(f"{prefix}/"):
            return error_page(request, error, request_id)
    return json_response(error_body(request.path, error, request_id), error.status, NOT_KEPT | error.headers)


_ARCHIVE_AWAY = (
    "What ended long ago cannot be read now; ask again in a while, or with from= for what is newer. "
    "Everything that is newer, or has not ended, is there as ever."
)
ARCHIVE_RETRY_S = 30


def _as_request_error(request: Asked, raised: Exception) -> RequestError:
    if isinstance(raised, RequestError):
        return raised
    if isinstance(raised, web.HTTPException):
        return _from_http(raised)
    if isinstance(raised, (StoreDamaged, RecordDamaged)):
        what, why = "It cannot be read" if request.method in READS else "Nothing was changed", str(raised).rstrip(".")
        return RequestError([Problem("store_damaged", f"{what}: {why}.")], 503)
    if isinstance(raised, ArchiveUnavailable):
        headers = {"Retry-After": str(ARCHIVE_RETRY_S)}
        return RequestError([Problem("archive_unavailable", _ARCHIVE_AWAY)], 503, headers)
    if isinstance(raised, StoreUnavailable):
        return store_away(request, raised)
    text = "Something went wrong on our side; quote the request id when you report it."
    return RequestError([Problem("internal_error", text)], 500)


def _from_http(raised: web.HTTPException) -> RequestError:
    code, text = _CODES.get(raised.status, ("bad_request", raised.reason))
    allow = raised.headers.get("Allow")
    return RequestError([Problem(code, text)], raised.status, {"Allow": allow} if allow else {})


def _log(asked: Asked, status: int, request_id: str, duration_s: float, error: Exception | None) -> None:
    ours = status >= 500
    write = log.error if ours else log.info
    write(
        "request",
        method=asked.method,
        path=asked.path,
        status=status,
        duration_ms=round(duration_s * 1000, 1),
        request_id=request_id,
        remote=asked.remote,
        **({"error": repr(error)} if ours else {}),
        **({"exc_info": error} if status == 500 else {}),
    )
