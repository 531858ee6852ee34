"""A connection that begins ordinary requests itself, as they are read, without aiohttp's task, request and response.

The message stays the first in aiohttp's queue until it is answered, so that nothing overtakes it. Whatever is not
ordinary is left to aiohttp there and then: its task waits for just that. What was begun and failed is left to it as
well, with the failure that its handler is to answer with.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Mapping
from typing import Any, NamedTuple, cast

import orjson
from aiohttp import HttpVersion11, StreamReader, hdrs, web
from aiohttp.http import RawRequestMessage

from dispatcher.api.http.aiohttp_inside.connection import Connection
from dispatcher.api.http.aiohttp_inside.receipt import written
from dispatcher.api.http.at_once import Answer, Begin, Begun
from dispatcher.api.http.response.asked import Plain
from dispatcher.api.http.response.middleware import REQUEST_ID_HEADER, Edge
from dispatcher.api.http.route import Handler

_LAST = {hdrs.CONNECTION: "close"}
"""Of the answer to the last request that is read: what came behind it was not (RFC 9112 §9.6)."""


class _UnderWay(NamedTuple):
    begun: Begun
    asked: Plain
    request_id: str
    started_s: float


class PromptConnection(Connection):
    """Answers one request after the other, in the order in which they came, whoever answers it."""

    __slots__ = ("_at_once", "_early", "_edge", "_under_way", "failure")

    def __init__(self, at_once: Mapping[str, Begin], edge: Edge, server: web.Server, **arguments: Any) -> None:
        super().__init__(server, **arguments)
        self._at_once = at_once
        self._edge = edge
        self._under_way: _UnderWay | None = None
        self._early: list[bytes] = []
        """Bytes that came while aiohttp's task was between two requests."""
        self.failure: Exception | None = None
        """Of what was begun here, until a handler answers with it."""

    def data_received(self, data: bytes) -> None:
        """Read now, or a turn of the loop later: aiohttp's task takes one before it waits for the next request."""
        if not data or not (self._early or self._is_between_two()):
            self._read(data)
            return
        if not self._early:
            self._loop.call_soon(self._read_early)
        self._early.append(data)

    def _is_between_two(self) -> bool:
        return self._waiter is None and self._current_request is None and not self._messages

    def _read_early(self) -> None:
        data, self._early = b"".join(self._early), []
        self._read(data)

    def _read(self, data: bytes) -> None:
        """aiohttp parses and queues; its task is woken only by what it is to answer."""
        waiter, self._waiter = self._waiter, None
        try:
            super().data_received(data)
        finally:
            self._waiter = waiter
        if self._under_way is None:
            self._go_on()

    def _go_on(self) -> None:
        """Begin the first message of the queue, or leave it to aiohttp. That may be at work already."""
        waiter = self._waiter
        if waiter is None or waiter.done() or not self._messages:
            return
        message, body = self._messages[0]
        whole = type(body) is StreamReader and body.is_eof()  # of what cannot be read, and of no body, it is another
        self._under_way = self._begun(cast("RawRequestMessage", message), body) if whole else None
        if self._under_way is None:
            waiter.set_result(None)
            return
        self._request_in_progress = True
        self._under_way.begun.outcome.add_done_callback(self._ended)

    def _begun(self, message: RawRequestMessage, body: StreamReader) -> _UnderWay | None:
        """None: nothing is, and nobody knows of it."""
        begin = self._at_once.get(message.path)
        waits = self._paused or self._reading_paused or self._buffer_paused
        if begin is None or waits or not _is_plain(message) or body.exception() is not None:
            return None
        started_s = time.perf_counter()
        try:
            begun = begin(message.headers, b"".join(body._buffer))  # noqa: SLF001 - reading it parses what comes next
        except Exception:
            return None
        if begun is None:
            return None
        asked = Plain(message.method, message.path, message.headers, _address(self.peername))
        return _UnderWay(begun, asked, self._edge.request_id(message.headers), started_s)

    def _ended(self, outcome: asyncio.Future[Any]) -> None:
        assert self._under_way is not None
        ended, self._under_way = self._under_way, None
        try:
            answer = ended.begun.answer(outcome.result())
        except Exception as error:
            self._fail(ended, error)
        else:
            self._answer(ended, answer)

    def _answer(self, ended: _UnderWay, answer: Answer) -> None:
        """Send it, unless nobody is left, and do what aiohttp's task does between two requests."""
        self._ends()
        self._edge.answered(ended.asked, answer.status, ended.request_id, ended.started_s)
        transport, parser, manager = self.transport, self._parser, self._manager
        if transport is None or transport.is_closing() or parser is None or manager is None:
            return
        last = self._close or self._force_close
        headers = answer.headers | {REQUEST_ID_HEADER: ended.request_id} | (_LAST if last else {})
        transport.write(written(answer.status, headers, orjson.dumps(answer.data)))
        self._messages.popleft()
        parser.message_consumed()
        manager.requests_count += 1
        if last:
            self.force_close()
            return
        self._next_keepalive_close_time = closes_s = self._loop.time() + self._keepalive_timeout
        if self._keepalive_handle is None:
            self._keepalive_handle = self._loop.call_at(closes_s, self._process_keepalive)
        self._go_on()

    def _ends(self) -> None:
        """Tell whoever waits for the end of this request; aiohttp does so for what its task is left with."""
        self._request_in_progress = False
        if self._handler_waiter is not None:
            self._handler_waiter.set_result(None)

    def _fail(self, ended: _UnderWay, error: Exception) -> None:
        waiter = self._waiter
        if waiter is None or waiter.done():
            self._ends()
            self._edge.unheard(ended.asked, error, ended.request_id, ended.started_s)
        else:
            self.failure = error
            waiter.set_result(None)

    def close(self) -> None:
        """As soon as what is under way is answered. aiohttp takes a task that waits for one without work.

        An idle connection ends at once: until the last handler has ended aiohttp would leave it open and read nothing,
        and whoever sends a request meanwhile waits for as long.
        """
        idle = self._under_way is None and self._waiter is not None and not self._waiter.done()
        if self._under_way is None:
            super().close()
        self._close = True
        if idle and self.transport is not None:
            self.transport.close()

    def _process_keepalive(self) -> None:
        """For the same reason: what is under way is not idle. The time is set anew with its answer."""
        if self._under_way is None:
            super()._process_keepalive()
        else:
            self._keepalive_handle = None


def telling(handler: Handler) -> Handler:
    """``handler``, unless the request was begun at once and failed: then it fails with that."""

    def serve(request: web.Request) -> Awaitable[web.StreamResponse]:
        connection = request.protocol
        if not isinstance(connection, PromptConnection) or connection.failure is None:
            return handler(request)
        failure, connection.failure = connection.failure, None
        return _raised(failure)

    return serve


async def _raised(failure: Exception) -> web.StreamResponse:
    raise failure


def _is_plain(message: RawRequestMessage) -> bool:
    stays = message.version == HttpVersion11 and not message.should_close
    return stays and message.method == hdrs.METH_POST and not message.upgrade and not message.chunked


def _address(peer: Any) -> str | None:
    """As ``remote`` of aiohttp's requests."""
    if peer is None:
        return None
    return str(peer[0] if isinstance(peer, (list, tuple)) else peer)
