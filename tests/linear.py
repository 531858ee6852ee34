"""Cost of reading hostile input: how it grows with the input's length, in CPU time of this thread. No wall clock."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

Given = TypeVar("Given", str, bytes, object)

TIMES = 8
"""Ratio of the long input to the short one: eight times the cost is linear, 64 times quadratic."""
BETWEEN = 24
AT_ONCE_S = 0.002
"""Whatever takes no longer is fast enough to be of any shape at this length."""


def growth(read: Callable[[Given], object], make: Callable[[int], Given], size: int) -> float:
    """Cost of ``TIMES * size`` in costs of ``size``; 0 where even the long one takes next to nothing."""
    gc.disable()
    try:
        long = make(TIMES * size)
        long_s = _once_s(read, long)
        if long_s < AT_ONCE_S:
            return 0
        short = make(size)
        short_s = min(_once_s(read, short) for _ in range(3))
        return min(long_s, _once_s(read, long), _once_s(read, long)) / max(short_s, 1e-5)
    finally:
        gc.enable()


def _once_s(read: Callable[[Given], object], given: Given) -> float:
    """A refusal counts as read."""
    begun = time.thread_time()
    with suppress(Exception):
        read(given)
    return time.thread_time() - begun
