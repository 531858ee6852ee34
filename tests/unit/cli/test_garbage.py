"""Collections of garbage in a process that serves: each a small piece, since nobody is answered while it lasts."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from dispatcher.cli.processes.startup import GC_THRESHOLDS

AT_ONCE = 3_000
"""Objects in cycles that one request leaves behind."""
MOST = 45_000


@pytest.fixture
def as_in_service() -> Iterator[None]:
    usual = gc.get_threshold()
    gc.collect()  # what other tests left is none of this one's
    gc.set_threshold(*GC_THRESHOLDS)
    yield
    gc.set_threshold(*usual)


@pytest.mark.usefixtures("as_in_service")
def test_what_many_requests_leave_in_cycles_is_collected_in_small_pieces() -> None:
    collected: list[int] = []

    def note(phase: str, told: dict[str, int]) -> None:
        if phase == "stop":
            collected.append(told["collected"])

    gc.callbacks.append(note)
    try:
        for _ in range(100):
            _leave_in_cycles(AT_ONCE)
    finally:
        gc.callbacks.remove(note)
    assert sum(collected) > 100 * AT_ONCE / 2
    assert max(collected) < MOST


def _leave_in_cycles(how_many: int) -> None:
    for _ in range(how_many):
        one: list[object] = []
        one.append(one)
