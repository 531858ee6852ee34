"""JSON answers. Serialises once, numbers as they came; never decides what an error looks like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import hdrs, web

from dispatcher.model import exact_numbers

JSON = "application/json"
NO_SNIFFING = {"X-Content-Type-Options": "nosniff"}
"""A host's words may be in our answers: no browser is to take them for a page."""

SERVER = "dispatcher"
"""Of ``Server``: names no version, which would tell an attacker where to look (RFC 9110 §10.2.4)."""


async def nameless(_: web.Request, response: web.StreamResponse) -> None:
    """Puts our own name in the place of aiohttp's and Python's, with their versions."""
    response.headers[hdrs.SERVER] = SERVER


def json_response(
    data: Any, status: int = 200, headers: Mapping[str, str] | None = None, media: str = JSON
) -> web.Response:
    """``data`` as ``application/json``, or as another type that is JSON."""
    sent = NO_SNIFFING | dict(headers) if headers else NO_SNIFFING
    return web.Response(body=exact_numbers.dumps(data), status=status, headers=sent, content_type=media)
