"""URLs that a page may lead people to or show pictures from. Pure; contacts nothing."""

from __future__ import annotations

from urllib.parse import urlsplit


def is_shown_url(text: str) -> bool:
    """Empty, http or https with a host, or a path on the server that shows it: never a script, never another scheme."""
    if not text:
        return True
    if not text.isprintable() or "\\" in text or " " in text:
        return False
    if text.startswith("/"):
        return not text.startswith("//")
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.username
    except ValueError:
        return False
