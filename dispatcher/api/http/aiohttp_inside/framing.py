"""Notices that the framing of a body broke off while it was read (RFC 9112 §7.1). Reads nothing itself."""

from __future__ import annotations

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

BROKEN_FRAMING = (HttpProcessingError, web.RequestPayloadError)
"""Raised by a body's reader, if aiohttp raises at all."""


def framing_broke(request: web.Request) -> bool:
    """While a body is incomplete, the only message that can be queued behind it is the parser's error."""
    return bool(request.protocol._messages)  # noqa: SLF001 - nothing public says so
