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
