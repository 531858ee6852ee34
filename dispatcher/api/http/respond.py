"""JSON answers. Serialises once, numbers as they came; never decides what an error looks like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from dispatcher.model import exact_numbers

JSON = "application/json"
NO_SNIFFING = {"X-Content-Type-Options": "nosniff"}
"""A host's words may be in our answers: no browser is to take them for a page."""


def json_response(data: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """``data`` as ``application/json``."""
    sent = NO_SNIFFING | dict(headers) if headers else NO_SNIFFING
    return web.Response(body=exact_numbers.dumps(data), status=status, headers=sent, content_type=JSON)
