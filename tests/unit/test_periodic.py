"""Work that is done every so often."""

from __future__ import annotations

import asyncio

import pytest
from structlog.testing import capture_logs

from dispatcher.errors import StoreUnavailable
from dispatcher.periodic import every, pause, until_next


class Turns:
    """Work that fails in the ways it is told, and says stop when there is nothing more."""

    def __init__(self, *failures: Exception | None) -> None:
        self.failures = list(failures)
        self.stop = asyncio.Event()
        self.done = 0

    async def __call__(self) -> None:
        self.done += 1
        failure = self.failures.pop(0)
        if not self.failures:
            self.stop.set()
        if failure is not None:
            raise failure


async def test_work_goes_on_after_a_store_that_was_away_and_after_an_error_of_ours() -> None:
    turns = Turns(StoreUnavailable("away"), RuntimeError("ours"), None)
    with capture_logs() as lines:
        await every(0.0, turns, turns.stop, name="tidying")
    assert turns.done == 3
    assert [(line["log_level"], line["event"]) for line in lines] == [
        ("warning", "store unavailable"),
        ("error", "tidying broke off"),
    ]


async def test_a_stop_ends_the_wait_for_the_next_turn() -> None:
    turns = Turns(None)
    async with asyncio.timeout(30):
        await every(3600.0, turns, turns.stop, name="tidying")
        await pause(turns.stop, 3600.0)
    assert turns.done == 1


async def test_nothing_is_done_once_stopped() -> None:
    turns = Turns()
    turns.stop.set()
    await every(0.0, turns, turns.stop, name="tidying")
    assert turns.done == 0


@pytest.mark.parametrize(
    ("now_s", "expected_s"),
    [(100.25, 1.0), (100.3, 0.95), (100.75, 0.5), (100.76, 1.49), (100.249, 1.001)],
)
def test_work_that_is_done_as_often_is_done_at_one_moment(now_s: float, expected_s: float) -> None:
    assert until_next(1.0, now_s, moment_s=0.25) == pytest.approx(expected_s)


def test_what_is_done_more_often_is_done_at_that_moment_too() -> None:
    thirds = [100.25 + until_next(1 / 3, 100.25 + number / 3, moment_s=0.25) + number / 3 for number in range(3)]
    assert thirds == pytest.approx([100.25 + 1 / 3, 100.25 + 2 / 3, 101.25])
