"""Reading request bodies: media type, encoding, size and time are checked here and nowhere else.

Never waits longer than ``READ_TIMEOUT_S`` for a body and never holds more than the configured limit of it.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Mapping

from aiohttp import hdrs, web

from dispatcher.api.http.aiohttp_inside.framing import BROKEN_FRAMING, framing_broke
from dispatcher.api.http.overload.intake import SMALL_BYTES, may_arrive, may_be_handled
from dispatcher.api.http.route import ENDS_WITH_CALLER
from dispatcher.errors import InvalidRequest, Problem, RequestError

READ_TIMEOUT_S = 10.0
_LOOK_S = 0.2
JSON = "application/json"
NDJSON = "application/x-ndjson"

_PLAIN_JSON = frozenset({JSON, f"{JSON}; charset=utf-8", f"{JSON};charset=utf-8"})
"""Sent by nearly every client: these skip the parsing."""
_UTF8 = frozenset({None, "utf-8", "utf8"})
_PLAIN = "identity"
_GZIP = frozenset({"gzip", "x-gzip"})
"""Names of the same coding, in any case (RFC 9110 §8.4.1)."""
MAX_MEMBERS = 1000
"""Of one gzip stream. Each costs a little, however empty it is."""
_PIECE_BYTES = 1 << 14
_NOWHERE: Mapping[str, str] = {}
_GZIP_WINDOW = 16 + zlib.MAX_WBITS


def is_plain_json(headers: Mapping[str, str]) -> bool:
    """True where nothing of the media type is to be looked at more closely."""
    return headers.get(hdrs.CONTENT_TYPE) in _PLAIN_JSON


def require_media(request: web.Request, *accepted: str, elsewhere: Mapping[str, str] = _NOWHERE) -> str:
    """The media type of the body if it is one of ``accepted`` in UTF-8; 415 otherwise.

    ``elsewhere``: by media type, the path that takes it instead.
    """
    if JSON in accepted and is_plain_json(request.headers):
        return JSON
    media = request.content_type
    if media not in accepted:
        text = f"Send the body as {' or '.join(accepted)}."
        if media in elsewhere:
            text = f"{text} {media} goes to {elsewhere[media]}."
        raise _unsupported("unsupported_media_type", text, "Content-Type", {hdrs.ACCEPT: ", ".join(accepted)})
    if (request.charset or "utf-8").lower() not in _UTF8:
        raise _unsupported("unsupported_charset", "Send the body in UTF-8.", "Content-Type")
    return media


async def read_body(request: web.Request) -> bytes:
    """The whole body, decompressed. 408, 413 or 415 when it cannot be had; 400 when it is broken."""
    limit_bytes = request.client_max_size
    compressed = hdrs.CONTENT_ENCODING in request.headers and _is_compressed(request)
    arriving = request.content
    if arriving.is_eof() and arriving.exception() is None:
        # All of it came with the headers, as nearly always: ``request.read`` would copy it twice.
        raw = arriving.read_nowait()
    else:
        raw = await _arrived(request)
    if len(raw) > limit_bytes:
        raise _too_large(limit_bytes)
    if compressed:
        return await _inflated(request, raw, limit_bytes)
    if len(raw) > SMALL_BYTES:
        await may_be_handled(request, len(raw))
    return raw


async def _inflated(request: web.Request, raw: bytes, limit_bytes: int) -> bytes:
    """A large one waits as it came: undone once to learn its size, and again when there is room."""
    plain = inflate(raw, limit_bytes)
    size = len(plain)
    if size > SMALL_BYTES:
        del plain
        await may_be_handled(request, size)
        plain = inflate(raw, limit_bytes)
    return plain


async def _arrived(request: web.Request) -> bytes:
    size = request.content_length
    if size is None:
        size = request.client_max_size
    if size > request.client_max_size:
        raise _too_large(request.client_max_size)
    request[ENDS_WITH_CALLER] = True  # nothing was done yet
    await may_arrive(request, size)
    raw = await _read_in_time(request)
    request[ENDS_WITH_CALLER] = False
    return raw


async def _read_in_time(request: web.Request) -> bytes:
    try:
        async with asyncio.timeout(READ_TIMEOUT_S):
            return await _read_slowly(request)
    except TimeoutError:
        text = f"The body did not arrive within {READ_TIMEOUT_S:g} seconds; send it again."
        raise RequestError([Problem("request_timeout", text)], 408) from None
    except web.HTTPRequestEntityTooLarge:
        raise _too_large(request.client_max_size) from None
    except BROKEN_FRAMING:
        raise _malformed() from None


async def _read_slowly(request: web.Request) -> bytes:
    """A body that is not all here yet. aiohttp does not tell its reader when the framing breaks off later on."""
    reading = asyncio.ensure_future(request.read())
    try:
        while not (await asyncio.wait({reading}, timeout=_LOOK_S))[0]:
            if framing_broke(request):
                raise _malformed()
        return reading.result()
    finally:
        reading.cancel()


def _is_compressed(request: web.Request) -> bool:
    """True for gzip, False for a body as it is. 415 for any other coding, and for one upon another."""
    listed = ",".join(request.headers.getall(hdrs.CONTENT_ENCODING)).lower().split(",")
    codings = [name for coding in listed if (name := coding.strip()) not in ("", _PLAIN)]
    if len(codings) > 1 or not _GZIP.issuperset(codings):
        text = "Send the body plain or with gzip."
        raise _unsupported(
            "unsupported_encoding", text, hdrs.CONTENT_ENCODING, {hdrs.ACCEPT_ENCODING: "gzip, identity"}
        )
    return bool(codings)


def inflate(raw: bytes, limit_bytes: int) -> bytes:
    """gzip undone, of one member after another (RFC 1952 §2.2), never producing more than ``limit_bytes`` + 1 bytes."""
    plain, left = bytearray(), memoryview(raw)
    for _ in range(MAX_MEMBERS):
        left = _inflate_member(left, plain, limit_bytes)
        if not left:
            return bytes(plain)
    raise InvalidRequest.of("invalid_encoding", f"The gzip stream has more than {MAX_MEMBERS} members; join them.")


def _inflate_member(raw: memoryview, plain: bytearray, limit_bytes: int) -> memoryview:
    """Anything behind the first member. It is fed in pieces, since zlib copies whatever it leaves."""
    stream, position = zlib.decompressobj(_GZIP_WINDOW), 0
    try:
        while not stream.eof and position < len(raw):
            piece = raw[position : position + _PIECE_BYTES]
            position += len(piece)
            plain += stream.decompress(piece, limit_bytes + 1 - len(plain))
            if len(plain) > limit_bytes:
                raise _too_large(limit_bytes)
    except zlib.error:
        raise InvalidRequest.of("invalid_encoding", "The body is not valid gzip.") from None
    if not stream.eof:
        raise InvalidRequest.of("invalid_encoding", "The body is not one complete gzip stream.")
    return raw[position - len(stream.unused_data) :]


def _malformed() -> RequestError:
    text = "The body breaks off or its framing is broken; send it again on a new connection."
    return InvalidRequest([Problem("malformed_body", text)], headers={"Connection": "close"})


def _too_large(limit_bytes: int) -> RequestError:
    text = f"The body may have {limit_bytes} bytes at most; send less at a time."
    return RequestError([Problem("body_too_large", text)], 413)


def _unsupported(code: str, message: str, field: str, headers: dict[str, str] | None = None) -> RequestError:
    """``headers`` name what would be taken (RFC 9110 §12.5.1, §12.5.3)."""
    return RequestError([Problem(code, message, field)], 415, headers or {})
