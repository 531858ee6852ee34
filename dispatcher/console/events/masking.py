"""Bodies as everybody may see them: their shape and their names, without what they hold. Pure."""

from __future__ import annotations

from typing import Any

MASK = "•••"
ITEMS = 3
"""Of each list; they are of one shape, mostly."""


def masked(value: Any) -> Any:
    """The same objects, and the first items of lists, with a mask in place of every text and number."""
    if isinstance(value, dict):
        return {name: masked(one) for name, one in value.items()}
    if isinstance(value, list):
        more = [f"and {len(value) - ITEMS} more"] if len(value) > ITEMS else []
        return [masked(one) for one in value[:ITEMS]] + more
    return value if value is None or isinstance(value, bool) else MASK


def masked_content(body: Any) -> Any:
    """A notification with its envelope in clear and all else masked; of any other form everything is."""
    if not isinstance(body, dict):
        return masked(body)
    if isinstance(body.get("data"), dict) and "specversion" in body:
        return body | {"data": masked_content(body["data"])}
    if "payload" not in body or "eventUrl" not in body:
        return masked(body)
    return body | {name: masked(body[name]) for name in _CONTENT if name in body}


_CONTENT = ("payload", "creator")
