"""Reads an answer that is not quite HTTP as far as it goes: its status counts, whatever else is wrong with it.

For what the parser refuses: extra bytes, headers that HTTP does not allow, a broken length or chunk (RFC 9112 §6.3 says
where a body ends). Bounded in time and memory: 64 KiB of headers, 64 KiB of body. Pure.
"""

from __future__ import annotations

import re

from multidict import CIMultiDict, CIMultiDictProxy

from worker.http.answer import MAX_ANSWER_BYTES, Answer, AnswerBody

MAX_HEAD_BYTES = 64 * 1024
"""Of the status line and all headers together, interim answers included."""

_STATUS_LINE = re.compile(rb"HTTP/\d(?:\.\d)? {1,8}(\d{3})(?!\d)")
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,256}")
_CHUNK = re.compile(rb"(?:\r?\n)?([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]{0,256})?\r?\n")
_LAST_CHUNK = re.compile(rb"\n0{1,3}\r?\n\r?\n\Z")
_BODILESS = frozenset({204, 304})


def head_end(heard: bytes | bytearray) -> int | None:
    """The end of the final answer's head, behind interim ones (RFC 9110 §15.2); None = not there yet."""
    begin = 0
    while (end := _HEAD_END.search(heard, begin)) is not None:
        status = _STATUS_LINE.match(heard, begin)
        if status is None or not status[1].startswith(b"1") or status[1] == b"101":
            return end.end()
        begin = end.end()
    return None


class OddAnswer:
    """One answer from the moment that the parser gives up. ``heard`` is all that came of it, and grows."""

    __slots__ = ("_body_at", "_head", "_heard", "_needed", "_reason", "_seen", "headers", "status")

    def __init__(self, heard: bytearray, status: int, head: int, reason: str) -> None:
        self._heard = heard
        self._reason = reason
        self._head = self._seen = head
        self._body_at: int | None = None
        self._needed: int | None = None
        self.status = status
        self.headers: CIMultiDict[str] = CIMultiDict()

    @classmethod
    def begun(cls, heard: bytearray, reason: str) -> OddAnswer | None:
        """None when what was heard does not begin as an answer does: then it is none."""
        begin = 0
        while (status := _STATUS_LINE.match(heard, begin)) is not None:
            if not status[1].startswith(b"1") or status[1] == b"101":
                return cls(heard, int(status[1]), begin, reason)
            end = _HEAD_END.search(heard, begin)
            if end is None:
                return None
            begin = end.end()
        return None

    def is_whole(self) -> bool:
        """True when nothing more of it is to come, or to be read. Looks at no byte of a body twice."""
        if self._body_at is None and not self._read_head():
            return len(self._heard) > MAX_HEAD_BYTES
        assert self._body_at is not None
        if self._needed is not None:
            return len(self._heard) - self._body_at >= min(self._needed, MAX_ANSWER_BYTES + 1)
        return len(self._heard) - self._body_at > 2 * MAX_ANSWER_BYTES or self._has_last_chunk()

    def answer(self, ended: bool) -> Answer:
        """As far as it is there. ``ended``: the host closed the connection."""
        if self._body_at is None and not self._read_head():
            self._read_headers(min(len(self._heard), MAX_HEAD_BYTES))
            return Answer(self.status, CIMultiDictProxy(self.headers), AnswerBody(b"", True), self._odd("its head"))
        assert self._body_at is not None
        body = self._body(ended)
        extra = self._needed is not None and len(self._heard) - self._body_at > self._needed
        return Answer(self.status, CIMultiDictProxy(self.headers), body, self._odd("its end" if extra else ""))

    def _odd(self, where: str) -> str:
        if where == "its end":
            return "the answer is odd: bytes follow its end"
        behind = ", its body was not read" if where else ""
        return f"the answer is odd: {self._reason}{behind}"

    def _read_head(self) -> bool:
        end = _HEAD_END.search(self._heard, self._seen, self._head + MAX_HEAD_BYTES)
        if end is None:
            self._seen = max(self._head, len(self._heard) - 3)
            return False
        self._body_at = end.end()
        self._read_headers(end.start())
        if self.status in _BODILESS:
            self._needed = 0
        elif not self._is_chunked():
            self._needed = self._length()
        return True

    def _read_headers(self, end: int) -> None:
        text = bytes(self._heard[self._head : end]).decode("utf-8", "replace")
        for line in text.split("\n")[1:]:
            name, colon, value = line.rstrip("\r").partition(":")
            if colon and _NAME.fullmatch(name):
                self.headers.add(name, value.strip(" \t"))

    def _is_chunked(self) -> bool:
        return self.headers.get("Transfer-Encoding", "").strip().lower().endswith("chunked")

    def _length(self) -> int | None:
        """None = until the connection ends: none is said, or several that differ, or no number."""
        said = {part.strip() for value in self.headers.getall("Content-Length", []) for part in value.split(",")}
        text = said.pop() if len(said) == 1 else ""
        return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None

    def _has_last_chunk(self) -> bool:
        begin = max((self._body_at or 1) - 1, len(self._heard) - 8)
        return self._is_chunked() and _LAST_CHUNK.search(self._heard, begin) is not None

    def _body(self, ended: bool) -> AnswerBody:
        raw = bytes(self._heard[self._body_at or 0 :])
        if self._needed is None:
            if self._is_chunked():
                return _unchunked(raw)
            certain = ended and "Content-Length" not in self.headers
            return AnswerBody(raw[:MAX_ANSWER_BYTES], not certain or len(raw) > MAX_ANSWER_BYTES)
        data = raw[: min(self._needed, MAX_ANSWER_BYTES)]
        return AnswerBody(data, len(data) < self._needed)


def _unchunked(raw: bytes) -> AnswerBody:
    """Data of the chunks that can be read (RFC 9112 §7.1); truncated unless the last one is there."""
    data, at = bytearray(), 0
    while (size := _CHUNK.match(raw, at)) is not None:
        length = int(size[1], 16)
        if length == 0:
            return AnswerBody(bytes(data[:MAX_ANSWER_BYTES]), len(data) > MAX_ANSWER_BYTES)
        data += raw[size.end() : size.end() + length]
        at = size.end() + length
        if at > len(raw) or len(data) > MAX_ANSWER_BYTES:
            break
    return AnswerBody(bytes(data[:MAX_ANSWER_BYTES]), True)
