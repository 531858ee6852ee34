"""One request and its answer over a connection of aiohttp's. Never connects, and never repeats a request.

aiohttp pools and parses. The rest of its client (redirects, cookies, inflating, bodies in pieces) is what a
notification must not have, and costs twice as much CPU as what it needs: so the request is written here, at once.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import NamedTuple

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.http_exceptions import HttpProcessingError
from multidict import CIMultiDictProxy

from worker.http.answer_body import AnswerBody, read_bounded

MAX_ANSWER_HEADERS = 128
MAX_HEADER_BYTES = 8190
MAX_INTERIM_ANSWERS = 16
_PIECE_BYTES = 64 * 1024


class Answer(NamedTuple):
    """What a host answered."""

    status: int
    headers: CIMultiDictProxy[str]
    body: AnswerBody


async def exchange(connection: Connection, message: bytes, deadline_s: float) -> Answer:
    """Send ``message`` and read the answer until ``deadline_s`` (the loop's clock).

    The connection is back in its pool when it can be used again; else the caller has to close it. Raises
    ``TimeoutError``, ``aiohttp.ClientError``, ``OSError`` or ``HttpProcessingError`` when no answer came.
    """
    protocol, transport = protocol_of(connection), connection.transport
    if transport is None:
        raise protocol.exception() or aiohttp.ServerDisconnectedError
    protocol.set_response_params(
        read_until_eof=True,
        auto_decompress=False,
        max_line_size=MAX_HEADER_BYTES,
        max_field_size=MAX_HEADER_BYTES,
        max_headers=MAX_ANSWER_HEADERS,
    )
    for at in range(0, len(message), _PIECE_BYTES):  # TLS does not count what it took in one piece as waiting
        transport.write(message[at : at + _PIECE_BYTES])
    expiry = asyncio.get_running_loop().call_at(deadline_s, _expire, protocol)
    try:
        head, content = await protocol.read()
        interim = 0
        while 100 <= head.code < 200 and head.code != 101:  # RFC 9110 §15.2: the answer is still to come
            if (interim := interim + 1) > MAX_INTERIM_ANSWERS:
                raise HttpProcessingError(code=head.code, message="too many interim answers")
            head, content = await protocol.read()
    finally:
        expiry.cancel()
    body = await _body(protocol, content, deadline_s)
    if not body.truncated and not transport.get_write_buffer_size():
        connection.release()
    return Answer(head.code, head.headers, body)


async def _body(protocol: ResponseHandler, content: aiohttp.StreamReader, deadline_s: float) -> AnswerBody:
    if content.is_eof() or (closed := protocol.closed) is None:
        return await read_bounded(content, deadline_s)
    breaks = partial(_break_off, content)
    closed.add_done_callback(breaks)
    try:
        return await read_bounded(content, deadline_s)
    finally:
        closed.remove_done_callback(breaks)  # the future lives as long as the connection


def protocol_of(connection: Connection) -> ResponseHandler:
    """Of a connection that is in use."""
    assert connection.protocol is not None
    return connection.protocol


def _break_off(content: aiohttp.StreamReader, closed: asyncio.Future[None]) -> None:
    """The parser does not tell its reader when it gives up within a body, it only closes the connection."""
    error = closed.exception()
    if not content.is_eof():
        content.set_exception(error or aiohttp.ClientPayloadError("the answer broke off"))


def _expire(protocol: ResponseHandler) -> None:
    protocol.set_exception(TimeoutError("no answer in time"))
