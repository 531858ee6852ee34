"""JSON answers. Serialises once, with orjson; never decides what an error looks like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from aiohttp import web

JSON = "application/json"
NO_SNIFFING = {"X-Content-Type-Options": "nosniff"}
"""What a host's answer said may be in ours: no browser is to take it for a page."""


def json_response(data: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """``data`` as ``application/json``."""
    sent = NO_SNIFFING | dict(headers) if headers else NO_SNIFFING
    return web.Response(body=orjson.dumps(data), status=status, headers=sent, content_type=JSON)
