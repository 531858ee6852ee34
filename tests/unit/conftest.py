"""Tests here need no server: one that listens, connects or starts a program fails, and belongs elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest

OUTSIDE = frozenset({"socket.bind", "socket.connect", "subprocess.Popen", "os.fork", "os.posix_spawn"})
watched: set[str] = set()


def _refuse(event: str, _: tuple[Any, ...]) -> None:
    if event in watched:
        raise RuntimeError(f"{event} in tests/unit: put this test into the folder of what it starts (CONTRIBUTING.md)")


sys.addaudithook(_refuse)


@pytest.fixture(autouse=True)
def _alone() -> Iterator[None]:
    watched.update(OUTSIDE)
    yield
    watched.clear()
