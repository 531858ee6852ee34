"""A fault that lasts is told of a few times a second, with the number of lines that were left out."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import orjson
import pytest
import structlog

from dispatcher.telemetry.logs import configure_logs
from dispatcher.telemetry.repeats import MAX_NAMES, PER_S, Repeats


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    handlers = logging.getLogger().handlers[:]
    yield
    structlog.reset_defaults()
    logging.getLogger().handlers[:] = handlers


def test_the_next_second_tells_how_many_were_left_out() -> None:
    clock = Clock()
    repeats = Repeats(clock)
    assert [repeats.admit("away") for _ in range(PER_S + 7)] == [0] * PER_S + [None] * 7
    assert repeats.admit("another") == 0
    clock.now_s += 1
    assert [repeats.admit("away") for _ in range(2)] == [7, 0]


def test_names_without_end_take_no_memory_without_end() -> None:
    repeats = Repeats()
    for n in range(3 * MAX_NAMES):
        repeats.admit(str(n))
    assert len(repeats._counts) <= MAX_NAMES + 1


def test_a_flood_of_errors_is_a_trickle_of_lines_and_information_is_whole() -> None:
    stream = io.StringIO()
    configure_logs("info", "json", stream)
    log, library = structlog.get_logger(), logging.getLogger("a.library")
    for n in range(500):
        log.error("request", n=n)
        log.info("attempt", n=n)
        library.error("accept failed: %d", n)
    records = [orjson.loads(line) for line in stream.getvalue().splitlines()]
    assert sum(record["event"] == "attempt" for record in records) == 500
    assert PER_S <= sum(record["event"] == "request" for record in records) <= 3 * PER_S
    assert PER_S <= sum(record["event"].startswith("accept failed") for record in records) <= 3 * PER_S
