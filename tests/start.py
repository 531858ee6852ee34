"""Start of a test process, which reads some 500 files of tests before the first of them runs; a pytest plugin."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Generator
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def modules(folder: Path) -> list[str]:
    return [".".join(file.relative_to(ROOT).with_suffix("").parts) for file in sorted(folder.rglob("test_*.py"))]


def pytest_sessionstart(session: pytest.Session) -> None:
    """Read folders of tests from another place on in each process: what one of them compiles the others find done."""
    gc.disable()  # nearly all that is made until the first test stays
    worker: dict[str, int | str] | None = getattr(session.config, "workerinput", None)
    if worker is None:
        return
    number, processes = int(str(worker["workerid"]).removeprefix("gw")), int(worker["workercount"])
    for folder in filter(Path.is_dir, map(Path, session.config.args)):
        names = modules(folder.resolve())
        begin = len(names) * number // processes
        for name in names[begin:] + names[:begin]:
            with contextlib.suppress(Exception):  # the collection tells of it
                import_module(name)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Have garbage collections pass over what stays until the end: a quarter of all time went into looking at it."""
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()
