"""Moments as people say them, in the reader's language."""

from __future__ import annotations

from dispatcher.pages.messages import Messages

_UNITS = (("days", 86_400), ("hours", 3600), ("minutes", 60), ("seconds", 10))


def moment(epoch_ms: int, now_ms: int, t: Messages) -> str:
    """``3 min ago`` in the reader's language."""
    seconds = abs(now_ms - epoch_ms) / 1000
    for unit, size in _UNITS:
        if seconds >= size:
            count = seconds if unit == "seconds" else seconds / size
            past = epoch_ms <= now_ms
            return t(f"time.{unit}_ago" if past else f"time.in_{unit}", n=round(count))
    return t("time.now")
