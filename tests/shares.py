"""Shares of test processes: each begins with its part of what takes long; a pytest plugin.

pytest-xdist's ``worksteal`` cuts the tests into equal numbers, in order, and whoever is done takes from the end of what
another has left. In the order of the folders, long tests stood behind each other in one or two processes, and everybody
waited for these at the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, groupby, islice
from typing import Protocol, TypeVar

import pytest

SECONDS = {
    "tests/api/portal/test_look": 10.0,
    "tests/api/console/test_look": 6.0,
    "tests/api/marketplace/test_look": 2.5,
    "tests/e2e/": 3.0,
    "tests/faults/": 4.0,
    "tests/installations/": 1.0,
    "tests/property/": 2.0,
}
"""Of one test there, roughly; of no other has it to be known."""

TOGETHER = 12
"""Tests of one file that stay in one process at most: they may share what they start."""


class Named(Protocol):
    @property
    def nodeid(self) -> str: ...


T = TypeVar("T", bound=Named)


def seconds(test: Named) -> float:
    return next((taken for place, taken in SECONDS.items() if test.nodeid.startswith(place)), 0.0)


def parts(tests: Iterable[T]) -> list[list[T]]:
    """Neighbours of one file, the longest parts first."""
    found: list[list[T]] = []
    for _, of_file in groupby(tests, lambda test: test.nodeid.partition("::")[0]):
        while part := list(islice(of_file, TOGETHER)):
            found.append(part)
    return sorted(found, key=lambda part: -sum(map(seconds, part)))


def in_shares(tests: Sequence[T], processes: int) -> list[T]:
    """All of ``tests``: equal numbers of them, one after the other, are the shares."""
    shares: list[list[list[T]]] = [[] for _ in range(processes)]
    for part in parts(test for test in tests if seconds(test)):
        min(shares, key=lambda share: sum(map(seconds, chain(*share)))).append(part)
    short = (test for test in tests if not seconds(test))
    ordered: list[T] = []
    for number, share in enumerate(shares):
        begin = len(share) * number // processes  # of one kind of tests a few at a time
        ordered += chain(*share[begin:], *share[:begin])
        end = len(tests) * (number + 1) // processes
        ordered += islice(short, max(0, end - len(ordered)))
    return [*ordered, *short]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    processes = int(getattr(config, "workerinput", {}).get("workercount", 1))
    if processes > 1:
        items[:] = in_shares(items, processes)
