"""One request and its answer over a connection of aiohttp's. Never connects, and never repeats a request.

The request is written at once. The status line decides most outcomes; a body that drips, breaks off or never ends is
read up to a limit and marked truncated. An answer that is not quite HTTP counts by its status, and says what is odd.
"""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Mapping
from functools import lru_cache, partial

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.http import RawResponseMessage
from aiohttp.http_exceptions import HttpProcessingError

from dispatcher.clock import Seconds
from worker.http.aiohttp_inside.answer_parser import AnswerParser
from worker.http.aiohttp_inside.host_connections import HostConnection
from worker.http.answer import MAX_ANSWER_BYTES, Answer, AnswerBody
from worker.http.connector import ConnectionLapsed
from worker.http.inflating import inflated, told
from worker.http.odd_answers import OddAnswer

ALWAYS = {"User-Agent": "marketplace-dispatcher/1", "Accept": "*/*", "Accept-Encoding": "identity"}
"""Headers of every request that does not bring them."""
MANY_HEADERS = 128
LONG_HEADER_BYTES = 8190
"""From here on an answer is read as ever, and said to be odd."""
MAX_INTERIM_ANSWERS = 16
LAPSE_S = 1.0
"""A kept connection that ends this soon after a request was written had ended before."""
_PIECE_BYTES = 64 * 1024
_BODILESS = frozenset({204, 304})
_forbidden = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]").search
"""Characters that neither names nor values of headers hold (RFC 9110 §5.5)."""


def written(start_lines: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """The whole request. Raises ``ValueError`` for a header that HTTP does not allow."""
    _refuse_control("".join(headers.values()))
    default_lines = _missing_lines(tuple(headers))
    head = f"{start_lines}{default_lines}Content-Length: {len(body)}\r\n{header_lines(headers)}\r\n"
    return head.encode() + body


def header_lines(headers: Mapping[str, str]) -> str:
    return "".join([f"{name}: {value}\r\n" for name, value in headers.items()])


def _refuse_control(text: str) -> None:
    if not text.isprintable() and _forbidden(text):
        raise ValueError("a header holds a control character")


@lru_cache(maxsize=256)
def _missing_lines(names: tuple[str, ...]) -> str:
    """The lines of ``ALWAYS`` that are not among ``names``, of which each is looked at. Raises ``ValueError``."""
    _refuse_control("".join(names))
    given = {name.lower() for name in names}
    return header_lines({name: value for name, value in ALWAYS.items() if name.lower() not in given})


async def exchange(connection: HostConnection, message: bytes, deadline_s: float, now: Seconds) -> Answer:
    """Send ``message`` and read the answer until ``deadline_s``. ``now``: the loop's clock.

    The wait for its head ends when the session's look for deadlines (``HostConnections.expect``) finds it late.
    ``connection.parser.idle`` says then that it can be used again; else the caller has to end it. Raises
    ``TimeoutError``, ``aiohttp.ClientError``, ``OSError`` or ``HttpProcessingError`` when no answer came, and
    ``ConnectionLapsed`` when the connection had carried a request before and the host had given it up.
    """
    protocol, parser, carried = connection.protocol, connection.parser, connection.carried
    if (transport := protocol.transport) is None:
        raise protocol.exception() or aiohttp.ServerDisconnectedError
    parser.begin()
    for at in range(0, len(message), _PIECE_BYTES):  # TLS does not count what it took in one piece as waiting
        transport.write(message[at : at + _PIECE_BYTES])
    written_s = now()
    try:
        head, content = await protocol.read()
        if head.code < 200 and head.code != 101:
            head, content = await _behind_interim_answers(protocol)
    except (HttpProcessingError, aiohttp.ClientError, OSError) as error:
        if (part := _part_of(parser, error)) is not None:
            return part
        if carried and now() - written_s < LAPSE_S and _is_lapse(parser, error):
            raise ConnectionLapsed(deadline_s - now()) from error
        raise
    finally:
        connection.deadline_s = math.inf
    if parser.odd is not None:
        return parser.odd.answer(ended=False)
    headed_s = now()
    if carried and head.code == 408 and headed_s - written_s < LAPSE_S:
        raise ConnectionLapsed(deadline_s - headed_s)  # RFC 9110 §15.5.9: it is about the connection's idleness
    body = _whole(content) if content.is_eof() else await _body(protocol, content, deadline_s)
    parser.idle = (
        head.code >= 200
        and not body.truncated
        and not transport.get_write_buffer_size()
        and not _announces_more(head)
        and parser.ends_with(content.total_bytes, head.chunked)
    )
    read_s = now() - headed_s
    return _looked_at(Answer(head.code, head.headers, body, "", headed_s - written_s, read_s), parser)


async def _behind_interim_answers(protocol: ResponseHandler) -> tuple[RawResponseMessage, aiohttp.StreamReader]:
    """The final one, after a first interim one (RFC 9110 §15.2)."""
    for _ in range(MAX_INTERIM_ANSWERS):
        head, content = await protocol.read()
        if head.code >= 200 or head.code == 101:
            return head, content
    raise HttpProcessingError(code=100, message="too many interim answers")


def _part_of(parser: AnswerParser, error: Exception) -> Answer | None:
    """The part of an answer that is there, when its status is."""
    ended = isinstance(error, (aiohttp.ClientError, OSError)) and not isinstance(error, TimeoutError)
    if parser.odd is None and ended:
        parser.odd = OddAnswer.begun(bytearray(parser.heard), "it broke off within its headers")
    return parser.odd.answer(ended) if parser.odd is not None else None


def _is_lapse(parser: AnswerParser, error: Exception) -> bool:
    """EOF or a reset before a byte came, or bytes that an earlier answer left behind; never a time-out."""
    if isinstance(error, HttpProcessingError):
        return not parser.heard.startswith(b"HTTP/")
    return not parser.heard and not isinstance(error, TimeoutError)


def _announces_more(head: RawResponseMessage) -> bool:
    """A status that has no body with a header that says it has one: what follows would answer the next request."""
    if head.code not in _BODILESS:
        return False
    return head.headers.get("Content-Length", "0") != "0" or "Transfer-Encoding" in head.headers


def _looked_at(answer: Answer, parser: AnswerParser) -> Answer:
    if len(answer.headers) > MANY_HEADERS:
        answer = told(answer, f"it has {len(answer.headers)} headers")
    if len(parser.heard) > LONG_HEADER_BYTES:
        longest = max((len(name) + len(value) for name, value in answer.headers.items()), default=0)
        answer = told(answer, f"it has a header of {longest} bytes") if longest > LONG_HEADER_BYTES else answer
    coding = answer.headers.get("Content-Encoding")
    return answer if coding is None else inflated(answer, coding)


def _whole(content: aiohttp.StreamReader) -> AnswerBody:
    """A body that came with its head, as nearly all do. Reading it would have aiohttp look for more of it first."""
    if not content.total_bytes:
        return AnswerBody(b"", False)
    return _bounded(b"".join(content._buffer))  # noqa: SLF001 - nothing public takes it out without that look


async def _body(protocol: ResponseHandler, content: aiohttp.StreamReader, deadline_s: float) -> AnswerBody:
    if (closed := protocol.closed) is None:
        return await _read_bounded(content, deadline_s)
    breaks = partial(_break_off, content)
    closed.add_done_callback(breaks)
    try:
        return await _read_bounded(content, deadline_s)
    finally:
        closed.remove_done_callback(breaks)  # the future lives as long as the connection


def _break_off(content: aiohttp.StreamReader, closed: asyncio.Future[None]) -> None:
    """The parser does not tell its reader when it gives up within a body, it only closes the connection."""
    error = closed.exception()
    if not content.is_eof():
        content.set_exception(error or aiohttp.ClientPayloadError("the answer broke off"))


async def _read_bounded(content: aiohttp.StreamReader, deadline_s: float) -> AnswerBody:
    """At most 64 KiB of the body as it came over the wire until ``deadline_s`` (the loop's clock).

    The connection of a truncated answer cannot be used again.
    """
    data = bytearray()
    try:
        async with asyncio.timeout_at(deadline_s):
            while len(data) <= MAX_ANSWER_BYTES and (part := await content.read(MAX_ANSWER_BYTES + 1 - len(data))):
                data += part
    except (aiohttp.ClientError, OSError, RuntimeError):  # the last: closed by us, says StreamReader
        return AnswerBody(bytes(data[:MAX_ANSWER_BYTES]), True)
    return _bounded(bytes(data))


def _bounded(data: bytes) -> AnswerBody:
    return AnswerBody(data[:MAX_ANSWER_BYTES], len(data) > MAX_ANSWER_BYTES)
