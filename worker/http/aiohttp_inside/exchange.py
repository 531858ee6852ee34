"""One request and its answer over a connection of aiohttp's. Never connects, inflates or repeats a request.

The request is written at once. The status line decides most outcomes; a body that drips, breaks off or never ends is
read up to a limit and marked truncated.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from functools import lru_cache, partial
from typing import NamedTuple

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.http_exceptions import HttpProcessingError
from multidict import CIMultiDictProxy

ALWAYS = {"User-Agent": "marketplace-dispatcher/1", "Accept": "*/*", "Accept-Encoding": "identity"}
"""Headers of every request that does not bring them."""
MAX_ANSWER_HEADERS = 128
MAX_HEADER_BYTES = 8190
MAX_INTERIM_ANSWERS = 16
MAX_ANSWER_BYTES = 64 * 1024
_PIECE_BYTES = 64 * 1024
_forbidden = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]").search
"""Characters that neither names nor values of headers hold (RFC 9110 §5.5)."""


class AnswerBody(NamedTuple):
    """``truncated``: there was more, or it broke off, or its time ran out."""

    data: bytes
    truncated: bool


class Answer(NamedTuple):
    """A host's answer, its body as it came over the wire."""

    status: int
    headers: CIMultiDictProxy[str]
    body: AnswerBody


def written(start_lines: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """The whole request. Raises ``ValueError`` for a header that HTTP does not allow."""
    if _forbidden("".join(headers) + "".join(headers.values())):
        raise ValueError("a header holds a control character")
    default_lines = _missing_lines(tuple(headers))
    head = f"{start_lines}{default_lines}Content-Length: {len(body)}\r\n{header_lines(headers)}\r\n"
    return head.encode() + body


def header_lines(headers: Mapping[str, str]) -> str:
    return "".join([f"{name}: {value}\r\n" for name, value in headers.items()])


@lru_cache(maxsize=256)
def _missing_lines(names: tuple[str, ...]) -> str:
    """The lines of ``ALWAYS`` that are not among ``names``."""
    given = {name.lower() for name in names}
    return header_lines({name: value for name, value in ALWAYS.items() if name.lower() not in given})


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


async def read_bounded(
    content: aiohttp.StreamReader, deadline_s: float, limit_bytes: int = MAX_ANSWER_BYTES
) -> AnswerBody:
    """At most ``limit_bytes`` of the body as it came over the wire until ``deadline_s`` (the loop's clock).

    The connection of a truncated answer cannot be used again.
    """
    if content.is_eof():  # as nearly always: it came with the headers
        return _bounded(content.read_nowait(limit_bytes + 1), limit_bytes)
    data = bytearray()
    try:
        async with asyncio.timeout_at(deadline_s):
            while len(data) <= limit_bytes and (part := await content.read(limit_bytes + 1 - len(data))):
                data += part
    except (aiohttp.ClientError, OSError, RuntimeError):  # the last: closed by us, says StreamReader
        return AnswerBody(bytes(data[:limit_bytes]), True)
    return _bounded(bytes(data), limit_bytes)


def _bounded(data: bytes, limit_bytes: int) -> AnswerBody:
    return AnswerBody(data[:limit_bytes], len(data) > limit_bytes)
