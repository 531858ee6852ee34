"""One HTTP connection: its limits, and the answer to what cannot be read as a request. Routes and parses nothing."""

from __future__ import annotations

import os
import re
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import structlog
from aiohttp import hdrs, web
from aiohttp.http_exceptions import BadHttpMethod, InvalidURLError, LineTooLong
from aiohttp.web_protocol import _ErrInfo
from yarl import URL

from dispatcher.api.http.response.errors import error_body
from dispatcher.api.http.response.middleware import NOT_KEPT, REQUEST_ID_HEADER
from dispatcher.api.http.response.respond import SERVER, json_response
from dispatcher.api.http.route import ENDS_WITH_CALLER
from dispatcher.errors import Problem, RequestError

_Handler: TypeAlias = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

IDLE_CONNECTION_S = 10.0
"""Also the time that a client has to send its request's headers."""
LINGERING_S = 5.0
"""Longest time that the rest of a body is read after its request was answered."""
MAX_LINE_BYTES = 8190
MAX_HEADERS = 128
READ_BYTES = 1 << 14
"""Of a body that waits to be read: at twice as many its connection is not read any further."""

_UNKNOWN_METHOD = re.compile(
    r"""^\s*b['"](?P<method>[!#$%&'*+.^_`|~0-9A-Za-z-]+) (?P<target>[^ ]+) HTTP/1\.[01]['"]\s*$""", re.MULTILINE
)
"""The parser's quotation of a request line in which nothing but the method is odd."""

log = structlog.get_logger("dispatcher.api")


def connection_arguments() -> dict[str, Any]:
    """Arguments of every connection."""
    return {
        "access_log": None,
        "auto_decompress": False,
        "keepalive_timeout": IDLE_CONNECTION_S,
        "lingering_time": LINGERING_S,
        "max_line_size": MAX_LINE_BYTES,
        "max_field_size": MAX_LINE_BYTES,
        "max_headers": MAX_HEADERS,
        "read_bufsize": READ_BYTES,
    }


class Connection(web.RequestHandler):
    """aiohttp's connection, whose own answer would be a line of plain text, and a traceback in the log."""

    __slots__ = ()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Nobody is left to read for from here on."""
        request, serving = self._current_request, self._task_handler
        super().connection_lost(exc)
        if serving is not None and request is not None and request.get(ENDS_WITH_CALLER):
            serving.cancel()

    def _make_error_handler(self, err_info: _ErrInfo) -> _Handler:
        """A method that nobody knows is refused by its address: 405 with what that takes, or 404.

        RFC 9110 §9.1 recommends 501 for it, §15.5.6 allows 405, which says more and blames nobody's server.
        """
        line = _UNKNOWN_METHOD.search(err_info.message) if isinstance(err_info.exc, BadHttpMethod) else None
        target = _target(line["target"]) if line else None
        if line is None or target is None:
            return super()._make_error_handler(err_info)
        method, refuse = line["method"], self._request_handler
        assert refuse is not None

        async def handler(request: web.BaseRequest) -> web.StreamResponse:
            response = await refuse(request.clone(method=method, rel_url=target))
            response.headers[hdrs.SERVER] = SERVER
            response.force_close()
            return response

        return handler

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The answer, after which the connection is closed. Raises ConnectionError when another one had begun."""
        if status >= 500:
            log.error("request", status=status, remote=request.remote, exc_info=exc)
        if request.writer.output_size > 0:
            raise ConnectionError("an answer had begun when it failed")
        request_id = os.urandom(8).hex()
        problem = self._problem(status, exc, message or "")
        headers = NOT_KEPT | {REQUEST_ID_HEADER: request_id, hdrs.SERVER: SERVER}
        response = json_response(error_body("/", RequestError([problem], status), request_id), status, headers)
        response.force_close()
        return response

    def _problem(self, status: int, exc: BaseException | None, message: str) -> Problem:
        if status >= 500:
            return Problem("internal_error", "Something went wrong on our side; quote the request id.")
        if isinstance(exc, LineTooLong):
            text = f"The address or a header is longer than this server takes; {self.max_line_size} bytes are the most."
            return Problem("line_too_long", text)
        reason = "the address is no URL" if isinstance(exc, InvalidURLError) else _reason(message)
        return Problem("bad_request", f"This cannot be read as an HTTP request ({reason}); check its syntax.")


def _target(text: str) -> URL | None:
    """The address within this server; None = it is none."""
    try:
        url = URL(text, encoded=True)
        return URL.build(path=url.raw_path, query_string=url.raw_query_string, encoded=True)
    except ValueError:
        return None


def _reason(message: str) -> str:
    """The parser's reason, without the bytes that it quotes: they may hold a secret."""
    lines = (line.strip() for line in message.splitlines())
    said = [line.rstrip(":. ") for line in lines if line and not line.startswith(("b'", 'b"', "bytearray(", "^"))]
    return ": ".join(said) or "it is malformed"
