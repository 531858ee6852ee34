"""Inflates an answer that a host compressed though it was asked not to (RFC 9110 §8.4). Pure; never beyond 64 KiB."""

from __future__ import annotations

import zlib

from worker.http.answer import MAX_ANSWER_BYTES, Answer, AnswerBody

_GZIP, _ZLIB, _RAW = 31, 15, -15
"""Window sizes of zlib's, which say what surrounds the stream."""
_READ: dict[str, tuple[int, ...]] = {"gzip": (_GZIP,), "x-gzip": (_GZIP,), "deflate": (_ZLIB, _RAW)}
"""Codings that are inflated. ``deflate`` comes in two forms: some hosts leave out zlib's frame."""
_MEMBER = b"\x1f\x8b"


def inflated(answer: Answer, named: str) -> Answer:
    """The answer with its body in clear. A coding that is not read, or is not there, leaves the bytes and is told."""
    codings = [name for part in named.split(",") if (name := part.strip().lower()) not in ("", "identity")]
    if not codings or not answer.body.data:
        return answer
    windows = _READ.get(codings[0]) if len(codings) == 1 else None
    if windows is None:
        return told(answer, f"its body is compressed with {', '.join(codings)[:64]}, which is not read")
    for window in windows:
        body = _opened(answer.body, window)
        if body is not None:
            return answer._replace(body=body)
    return told(answer, f"its body is said to be {codings[0]} and is not")


def told(answer: Answer, what: str) -> Answer:
    """The answer with one more thing that is odd about it."""
    return answer._replace(odd=f"{answer.odd}, {what}" if answer.odd else f"the answer is odd: {what}")


def _opened(body: AnswerBody, window: int) -> AnswerBody | None:
    """None = not one byte of it is of that coding. What breaks off or is damaged is kept as far as it goes."""
    out, rest = b"", body.data
    while True:
        stream = zlib.decompressobj(window)
        try:
            out += stream.decompress(rest, MAX_ANSWER_BYTES + 1 - len(out))
        except zlib.error:
            return AnswerBody(out, True) if out else None
        if len(out) > MAX_ANSWER_BYTES:
            return AnswerBody(out[:MAX_ANSWER_BYTES], True)
        if not stream.eof:
            return AnswerBody(out, True)
        rest = stream.unused_data
        if window != _GZIP or not rest.startswith(_MEMBER):
            return AnswerBody(out, body.truncated)
