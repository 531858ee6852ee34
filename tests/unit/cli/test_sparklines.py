"""Bars for numbers: as many as there is room for, none of them for nothing, and 0 is not little."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.cli.operating.metrics import Picture, picture_lines
from dispatcher.cli.terminal.sparklines import BLOCKS, PLAIN, sparkline

VALUES = st.lists(st.one_of(st.none(), st.floats(0, 1e9)), max_size=200)


@pytest.mark.parametrize(
    ("values", "width", "drawn"),
    [
        ([], 10, ""),
        ([0, 1, 2, 4, 8], 10, "▁▂▃▅█"),
        ([0, 0], 10, "▁▁"),
        ([None, 5, None], 10, " █ "),
        ([0.001, 1000], 10, "▂█"),
        ([1, 1, 1, 1, 4], 3, "▂▄█"),
        ([1, 2], 0, "█"),
    ],
)
def test_bars_are_as_high_as_their_numbers(values: Sequence[float | None], width: int, drawn: str) -> None:
    assert sparkline(values, width, sum, BLOCKS) == drawn


@given(values=VALUES, width=st.integers(1, 80))
def test_there_are_never_more_bars_than_room(values: list[float | None], width: int) -> None:
    for bars in (BLOCKS, PLAIN):
        drawn = sparkline(values, width, max, bars)
        assert len(drawn) <= width
        assert set(drawn) <= {*bars, " "}
        assert (max((v or 0 for v in values), default=0) > 0) == (bars[-1] in drawn)


def _picture(points: int) -> Picture:
    numbers, whole = list(range(points)), {"p50": 0.012, "p90": None, "p99": 12.5, "count": 3}
    window = {"from": "2027-01-15T07:00:00.000Z", "to": "2027-01-15T08:00:00.000Z", "stepSeconds": 60}
    series = window | {"series": {"accepted": numbers}, "totals": {"accepted": 12345}}
    timed = {"measures": {"latency": {"p99": [None, *numbers]}}, "totals": {"latency": whole}}
    return Picture(series, window | timed, None)


@pytest.mark.parametrize("width", [40, 80, 200])
def test_lines_are_never_wider_than_the_terminal(width: int) -> None:
    lines = picture_lines(_picture(1500), width, BLOCKS)
    assert max(map(len, lines[1:])) <= width
    assert "12,345" in lines[2]
    assert "p50 12 ms, p99 12.5 s" in lines[-1]


def test_a_narrow_terminal_has_numbers_and_no_bars() -> None:
    assert set("".join(picture_lines(_picture(60), 30, BLOCKS))) & set(BLOCKS) == set()
