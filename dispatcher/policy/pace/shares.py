"""Shares of something that only a few can have at a time: places, threads, bytes. Decides only.

Invariant: nobody who holds something takes more than half of what the others leave. So the first may hold a half, the
second a quarter and so on, there is always something left for whoever holds nothing yet, and nothing has to be taken
back from anybody. What is lent for a moment only is not counted by those who ask.
"""

from __future__ import annotations


def share(of_all: int, others: int) -> int:
    """The most that one may hold while ``others`` hold so much of it; 0 when nothing is left."""
    return max(0, (of_all - others + 1) // 2)


def may_take(of_all: int, others: int, held: int) -> bool:
    """True for whoever ``held`` less than its share."""
    return held < share(of_all, others)
