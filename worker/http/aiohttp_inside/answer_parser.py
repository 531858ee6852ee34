"""aiohttp's parser of a host's answers, asked for one answer after the other over one connection.

It is made once for each connection, since making it costs more than reading an answer with it. Whatever a host says
while nothing was asked spoils the connection: it must not be taken for the next answer, nor for its beginning.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from aiohttp.client_proto import ResponseHandler
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.streams import EMPTY_PAYLOAD

from worker.http.odd_answers import MAX_HEAD_BYTES, OddAnswer, head_end

MAX_WIRE_BYTES = 1024 * 1024
"""Of one body, with the frames of its chunks and its trailers."""
MAX_REASON_CHARS = 120

Parsed = tuple[Sequence[tuple[Any, Any]], bool, bytes]
_NOTHING: Parsed = (), False, b""
_BLANK_LINE = b"\r\n\r\n"


class OddHead(NamedTuple):
    """In the place of aiohttp's message, once its parser has given up and the answer is there as far as it goes."""

    code: int
    should_close: bool = True


class AnswerParser:
    """Bounds all headers together, and does not give up.

    aiohttp bounds each header and their number, which together allow megabytes; and it forgets an answer that it has
    understood when what follows in the same piece is not HTTP. ``heard``: what came until the head was understood;
    ``odd``: the answer is read on without the parser.
    """

    __slots__ = ("_ending", "_inner", "_protocol", "_rest_bytes", "_understood", "heard", "idle", "odd")

    def __init__(self, protocol: ResponseHandler) -> None:
        """Reads what ``protocol`` receives from now on."""
        protocol.set_response_params(
            read_until_eof=True,
            auto_decompress=False,
            max_line_size=MAX_HEAD_BYTES,
            max_field_size=MAX_HEAD_BYTES,
            max_headers=MAX_HEAD_BYTES,
        )
        inside: Any = protocol
        self._protocol = protocol
        self._inner = inside._parser  # noqa: SLF001 - nothing public lets one wrap it
        inside._parser = self  # noqa: SLF001
        self.begin()

    def begin(self) -> None:
        """Expect the next answer."""
        self._rest_bytes = 0
        self._ending = b""
        self._understood = self.idle = False
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

    def ends_with(self, body_bytes: int, chunked: bool) -> bool:
        """True when nothing followed the answer: of half a head aiohttp says nothing, and takes it for the next one's.

        ``body_bytes``: of its body, as it was read.
        """
        if chunked:
            return (self.heard + self._ending).endswith(_BLANK_LINE)
        came, blank = len(self.heard) + self._rest_bytes, self.heard.find(b"\n\r\n")
        if self.heard.find(b"\n\n", 0, blank + 2) < 0 and blank + 3 + body_bytes == came:  # as nearly always
            return blank >= 0
        return (head_end(self.heard) or 0) + body_bytes == came

    def _feed_rest(self, data: bytes) -> Parsed:
        """Of the body. Its reader bounds what is kept, this what chunks and trailers may cost."""
        if self.idle:
            if data:
                self._protocol.force_close()
            return _NOTHING
        self._rest_bytes += len(data)
        self._ending = (self._ending + data)[-len(_BLANK_LINE) :]
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
            return _NOTHING
        self._understood = True
        return [(OddHead(odd.status), EMPTY_PAYLOAD)], False, b""


def reason_of(error: HttpProcessingError) -> str:
    """The parser's reason on one line, without the host's bytes."""
    first, _, _ = error.message.partition("\n")
    return first.rstrip(": ")[:MAX_REASON_CHARS] or "it cannot be read"
