"""Draws a row of numbers as a row of bars. Pure but for asking what the output can show."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence

BLOCKS = "▁▂▃▄▅▆▇█"
PLAIN = "_.:-=+*#"
"""Bars for an encoding that has no blocks."""
NOTHING = " "

Value = float | None
"""None = nothing was measured."""


def sparkline(values: Sequence[Value], width: int, merge: Callable[[Iterable[float]], float], bars: str) -> str:
    """At most ``width`` bars, the last of them the newest. Only 0 has the lowest bar, and the greatest the highest.

    Where there are more values, neighbours become one by ``merge``: as many in each as in any other but the first.
    """
    shown = _narrowed(values, width, merge)
    most = max((value for value in shown if value is not None), default=0.0)
    return "".join(NOTHING if value is None else _bar(value, most, bars) for value in shown)


def bars_of_output() -> str:
    """The bars that standard output can show."""
    try:
        BLOCKS.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return PLAIN
    return BLOCKS


def _narrowed(values: Sequence[Value], width: int, merge: Callable[[Iterable[float]], float]) -> list[Value]:
    each = -(-len(values) // max(1, width)) or 1
    first = len(values) % each
    groups = [values[:first]] if first else []
    groups += [values[at : at + each] for at in range(first, len(values), each)]
    found = [[value for value in group if value is not None] for group in groups]
    return [merge(group) if group else None for group in found]


def _bar(value: float, most: float, bars: str) -> str:
    if value <= 0:
        return bars[0]
    return bars[max(1, min(len(bars) - 1, round(value / most * (len(bars) - 1))))]
