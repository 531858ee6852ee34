"""Pages in frames of other sites: whether the browser says that it shows one so."""

from __future__ import annotations

from aiohttp import web

FRAMES = frozenset({"iframe", "frame", "embed", "object"})
"""``Sec-Fetch-Dest`` of a page that is shown within another."""


def is_framed(request: web.Request) -> bool:
    """True if the browser says that it shows the page within another."""
    return request.headers.get("Sec-Fetch-Dest") in FRAMES
