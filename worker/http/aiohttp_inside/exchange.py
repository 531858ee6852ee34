"""One request and its answer over a connection of aiohttp's. Never connects, and never repeats a request.

The request is written at once. The status line decides most outcomes; a body that drips, breaks off or never ends is
read up to a limit and marked truncated. An answer that is not quite HTTP counts by its status, and says what is odd.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from typing import Any, NamedTuple

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.http import RawResponseMessage
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.streams import EMPTY_PAYLOAD

from worker.http.answer import MAX_ANSWER_BYTES, Answer, AnswerBody
from worker.http.connector import ConnectionLapsed
from worker.http.inflating import inflated, told
from worker.http.odd_answers import MAX_HEAD_BYTES, OddAnswer, head_end

ALWAYS = {"User-Agent": "marketplace-dispatcher/1", "Accept": "*/*", "Accept-Encoding": "identity"}
"""Headers of every request that does not bring them."""
MANY_HEADERS = 128
LONG_HEADER_BYTES = 8190
"""From here on an answer is read as ever, and said to be odd."""
MAX_INTERIM_ANSWERS = 16
LAPSE_S = 1.0
"""A kept connection that ends this soon after a request was written had ended before."""
MAX_WIRE_BYTES = 1024 * 1024
"""Of one body, with the frames of its chunks and its trailers."""
MAX_REASON_CHARS = 120
_PIECE_BYTES = 64 * 1024
_BODILESS = frozenset({204, 304})
_forbidden = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]").search
"""Characters that neither names nor values of headers hold (RFC 9110 §5.5)."""


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


Parsed = tuple[Sequence[tuple[Any, Any]], bool, bytes]


class OddHead(NamedTuple):
    """In the place of aiohttp's message, once its parser has given up and the answer is there as far as it goes."""

    code: int
    should_close: bool = True


class AnswerParser:
    """aiohttp's parser of one answer, with a bound for all headers together, and without giving up.

    aiohttp bounds each header and their number, which together allow megabytes; and it forgets an answer that it has
    understood when what follows in the same piece is not HTTP. ``heard``: what came until the head was understood;
    ``odd``: the answer is read on without the parser.
    """

    __slots__ = ("_inner", "_rest_bytes", "_understood", "heard", "odd")

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self._rest_bytes = 0
        self._understood = False
        self.heard: bytes | bytearray = b""
        self.odd: OddAnswer | None = None

    def feed_data(self, data: bytes) -> Parsed:
        """As ``ResponseHandler`` asks it."""
        if self._understood:
            return self._feed_rest(data)
        if not self.heard:  # as nearly always: all of it comes at once
            self.heard = data
        elif isinstance(self.heard, bytearray):
            self.heard += data
        else:
            self.heard = bytearray(self.heard) + data
        if self.odd is not None:
            return self._read_on(self.odd)
        if len(self.heard) > MAX_HEAD_BYTES and self._is_too_large():
            return self._give_up(HttpProcessingError(message="its headers are over 64 KiB"))
        try:
            parsed: Parsed = self._inner.feed_data(data)
        except HttpProcessingError as error:
            return self._give_up(error)
        messages = parsed[0]
        self._understood = bool(messages) and messages[-1][0].code >= 200
        return parsed

    def feed_eof(self) -> Any:
        return self._inner.feed_eof() if self.odd is None else None

    def pause_reading(self) -> None:
        self._inner.pause_reading()

    def _feed_rest(self, data: bytes) -> Parsed:
        """Of the body. Its reader bounds what is kept, this what chunks and trailers may cost."""
        self._rest_bytes += len(data)
        if self._rest_bytes > MAX_WIRE_BYTES:
            raise HttpProcessingError(message="its body has no end")
        parsed: Parsed = self._inner.feed_data(data)
        return parsed

    def _is_too_large(self) -> bool:
        end = head_end(self.heard)
        return end is None or end > MAX_HEAD_BYTES

    def _give_up(self, error: HttpProcessingError) -> Parsed:
        """Raises ``error`` when nothing of an answer is there."""
        self.heard = bytearray(self.heard)
        self.odd = OddAnswer.begun(self.heard, reason_of(error))
        if self.odd is None:
            raise error
        return self._read_on(self.odd)

    def _read_on(self, odd: OddAnswer) -> Parsed:
        if not odd.is_whole():
            return (), False, b""
        self._understood = True
        return [(OddHead(odd.status), EMPTY_PAYLOAD)], False, b""


def reason_of(error: HttpProcessingError) -> str:
    """The parser's reason on one line, without the host's bytes."""
    first, _, _ = error.message.partition("\n")
    return first.rstrip(": ")[:MAX_REASON_CHARS] or "it cannot be read"


def _listen(protocol: ResponseHandler) -> AnswerParser:
    """Take what ``protocol`` reads from now on for the next answer."""
    protocol.set_response_params(
        read_until_eof=True,
        auto_decompress=False,
        max_line_size=MAX_HEAD_BYTES,
        max_field_size=MAX_HEAD_BYTES,
        max_headers=MAX_HEAD_BYTES,
    )
    inside: Any = protocol
    parser = inside._parser = AnswerParser(inside._parser)  # noqa: SLF001 - nothing public lets one wrap it
    return parser


async def exchange(connection: Connection, message: bytes, deadline_s: float, kept: bool = False) -> Answer:
    """Send ``message`` and read the answer until ``deadline_s`` (the loop's clock).

    The connection is back in its pool when it can be used again; else the caller has to close it. Raises
    ``TimeoutError``, ``aiohttp.ClientError``, ``OSError`` or ``HttpProcessingError`` when no answer came, and
    ``ConnectionLapsed`` when ``connection`` had been ``kept`` and the host had given it up.
    """
    protocol, transport = protocol_of(connection), connection.transport
    if transport is None:
        raise protocol.exception() or aiohttp.ServerDisconnectedError
    parser = _listen(protocol)
    for at in range(0, len(message), _PIECE_BYTES):  # TLS does not count what it took in one piece as waiting
        transport.write(message[at : at + _PIECE_BYTES])
    loop = asyncio.get_running_loop()
    written_s, expiry = loop.time(), loop.call_at(deadline_s, _expire, protocol)
    try:
        head, content = await protocol.read()
        if head.code < 200 and head.code != 101:
            head, content = await _behind_interim_answers(protocol)
    except (HttpProcessingError, aiohttp.ClientError, OSError) as error:
        if (part := _part_of(parser, error)) is not None:
            return part
        if kept and loop.time() - written_s < LAPSE_S and _is_lapse(parser, error):
            raise ConnectionLapsed(deadline_s - loop.time()) from error
        raise
    finally:
        expiry.cancel()
    if parser.odd is not None:
        return parser.odd.answer(ended=False)
    if kept and head.code == 408 and loop.time() - written_s < LAPSE_S:
        raise ConnectionLapsed(deadline_s - loop.time())  # RFC 9110 §15.5.9: it is about the connection's idleness
    headed_s = loop.time()
    body = await _body(protocol, content, deadline_s)
    if not body.truncated and not transport.get_write_buffer_size() and not _announces_more(head):
        connection.release()
    answer = Answer(head.code, head.headers, body, "", headed_s - written_s, loop.time() - headed_s)
    return _looked_at(answer, parser)


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
