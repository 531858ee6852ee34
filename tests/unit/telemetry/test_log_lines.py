"""Log lines that cannot be written are dropped and counted; no log call raises."""

from __future__ import annotations

import io
import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import pytest
import structlog

from dispatcher.telemetry.log_lines import LogLines
from tests.unit.telemetry.test_logs import _restored, configured

__all__ = ["_restored"]


@contextmanager
def full(stream: TextIO) -> Iterator[None]:
    """While this lasts, the disk that ``stream`` is on has no room."""
    kept, device = os.dup(stream.fileno()), os.open("/dev/full", os.O_WRONLY)
    os.dup2(device, stream.fileno())
    try:
        yield
    finally:
        os.dup2(kept, stream.fileno())
        os.close(kept)
        os.close(device)


def say() -> None:
    structlog.get_logger().info("ours")
    logging.getLogger("arq").warning("theirs")


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_what_could_not_be_written_is_counted_once_there_is_room(
    tmp_path: Path, log_format: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with (tmp_path / "log").open("w") as stream:
        configured(stream, log_format)
        with full(stream):
            say()
            say()
        say()
        say()
    told, *others = (tmp_path / "log").read_text().splitlines()
    assert "log lines dropped" in told
    assert [("ours" in line, "theirs" in line) for line in others] == [(True, False), (False, True)] * 2
    if log_format == "json":
        assert json.loads(told)["not_written"] == 4
    assert capsys.readouterr().err == "", "the standard library complains of its handlers there"


def test_a_pipe_without_a_reader_raises_nothing() -> None:
    reader, writer = os.pipe()
    with os.fdopen(writer, "w") as stream:
        configured(stream)
        os.close(reader)
        say()


def test_a_stream_that_was_closed_raises_nothing() -> None:
    stream = io.StringIO()
    configured(stream)
    stream.close()
    say()


def test_a_line_that_was_cut_does_not_run_into_the_next() -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with os.fdopen(writer, "w") as stream, os.fdopen(reader, "rb", buffering=0) as read:
        lines = LogLines(stream, lambda count: f"dropped {count}")
        lines.info("x" * 1_000_000)
        lines.info("y")
        assert set(read.read(1_000_000)) == {ord("x")}
        lines.info("z")
        assert read.read(1_000_000) == b"\ndropped 2\nz\n"
