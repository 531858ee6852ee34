"""Numbers as people read them: how long ago, and how many of what."""

from __future__ import annotations


def age(seconds: float) -> str:
    """``12 s``, ``3 min``, ``5 h``, ``2 d``."""
    for unit_s, name in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * unit_s:
            return f"{int(seconds // unit_s)} {name}"
    return f"{max(0, int(seconds))} s"


def times(count: int, word: str) -> str:
    """``1 attempt``, ``2 attempts``."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
