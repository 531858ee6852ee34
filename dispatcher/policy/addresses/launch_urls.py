"""Addresses that a browser may be sent to. Judged by text alone; nothing of a request ever becomes part of one."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from yarl import URL

MAX_URL_CHARS = 2048

_SCHEMES = frozenset({"http", "https"})
_LOCAL = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")


def launch_url(text: str) -> str | None:
    """The ``Location`` for a configured text; None unless it is an absolute http or https URL, all printable."""
    if "\\" in text or any(char.isspace() or not char.isprintable() for char in text):
        return None
    try:
        parts = urlsplit(text)
        fits = parts.scheme in _SCHEMES and bool(parts.hostname) and parts.username is None and parts.port != 0
        return (text if text.isascii() else str(URL(text))) if fits else None
    except ValueError:
        return None


def is_local_path(text: str) -> bool:
    """A path on the page's own server, which no browser reads as another host."""
    return len(text) <= MAX_URL_CHARS and _LOCAL.fullmatch(text) is not None
