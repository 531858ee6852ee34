"""Examples that are judged by the processor time that they take, whatever else the machine does. Holds no test."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any

from hypothesis import settings

CPU_S = 2.0
EXAMPLES = 150


def in_time(test: Any) -> Any:
    """Of a property: it holds of every example, and none is computed on for two seconds."""
    test.hypothesis.inner_test = _measured(test.hypothesis.inner_test)
    return settings(deadline=None, max_examples=EXAMPLES)(test)


def _measured(test: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(test)
    def measured(*arguments: Any, **named: Any) -> None:
        began_s = time.thread_time()
        test(*arguments, **named)
        assert time.thread_time() - began_s < CPU_S

    return measured
