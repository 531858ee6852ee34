"""Shares of test processes hold every test once, as many each, and what takes long at their beginning."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

from tests.shares import TOGETHER, in_shares, parts, seconds

PROCESSES = 3


@dataclass(frozen=True)
class Test:
    """As much of one as its place takes."""

    __test__ = False
    nodeid: str


FILES = {"tests/api/test_a.py": 60, "tests/e2e/test_b.py": 20, "tests/e2e/test_c.py": 2, "tests/unit/test_d.py": 38}
TESTS = [Test(f"{file}::test_{n}") for file, count in FILES.items() for n in range(count)]
SHARES = [in_shares(TESTS, PROCESSES)[begin : begin + 40] for begin in (0, 40, 80)]


def test_every_test_is_in_one_share() -> None:
    assert sorted(one.nodeid for one in chain(*SHARES)) == sorted(one.nodeid for one in TESTS)


def test_each_share_begins_with_its_part_of_what_takes_long() -> None:
    for share in SHARES:
        long = [bool(seconds(test)) for test in share]
        assert long == sorted(long, reverse=True)
    assert [sum(map(seconds, share)) / seconds(TESTS[60]) for share in SHARES] == [12, 8, 2]


def test_neighbours_of_one_file_stay_together() -> None:
    assert [len(part) for part in parts(TESTS[60:82])] == [TOGETHER, 20 - TOGETHER, 2]
    assert list(chain(*parts(TESTS[60:82]))) == TESTS[60:82]


def test_nothing_but_long_tests_are_shared_out_too() -> None:
    for long in (TESTS[60:82], TESTS[60:61], []):
        assert sorted(one.nodeid for one in in_shares(long, PROCESSES)) == sorted(one.nodeid for one in long)
