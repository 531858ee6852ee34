"""Where a process reads the time, so that pure code takes ``now`` as a parameter."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache

Clock = Callable[[], float]
"""Seconds since the epoch."""

system_clock: Clock = time.time


def iso_ms(epoch_ms: int) -> str:
    """``2026-11-21T22:25:48.123Z``: ISO 8601, milliseconds, UTC."""
    seconds, milliseconds = divmod(epoch_ms, 1000)
    return f"{_iso_second(seconds)}.{milliseconds:03d}Z"


@lru_cache(maxsize=1024)
def _iso_second(epoch_s: int) -> str:
    return datetime.fromtimestamp(epoch_s, UTC).isoformat()[:19]
