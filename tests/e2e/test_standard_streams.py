"""Programs that are started with standard streams closed or full: they serve, stop and fail as with any others."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dispatcher.store.secrets.sealing import new_key
from tests.e2e.test_processes import folder, status
from tests.ports import free_port, free_ports
from tests.waiting import wait_until

__all__ = ["folder"]

pytestmark = pytest.mark.slow

DEADLINE_S = 60.0
ALL_CLOSED = "<&- >&- 2>&-"
CLOSED = ("<&-", ">&-", "2>&-", ALL_CLOSED)
VERIFY = "verify --secret whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw --id a --timestamp 1 --signature v1,x"


@contextmanager
def started(folder: Path, words: str, streams: str, **settings: str) -> Iterator[subprocess.Popen[str]]:
    """``dispatcher`` under a shell's redirections; what is not redirected is caught."""
    command = ["sh", "-c", f'exec "$@" {streams}', "sh", sys.executable, "-m", "dispatcher.cli.main", *words.split()]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DISPATCHER_")}
    environment = inherited | {"DISPATCHER_DATA_DIR": str(folder / "data"), "COLUMNS": "200"} | settings
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def ran(folder: Path, words: str, streams: str) -> tuple[int, str, str]:
    with started(folder, words, streams) as process:
        out, err = process.communicate(timeout=DEADLINE_S)
        return process.returncode, out, err


def until_answers(process: subprocess.Popen[str], port: int) -> None:
    def answers() -> bool:
        assert process.poll() is None
        return status(f"http://127.0.0.1:{port}/healthz") == 200

    wait_until(answers, DEADLINE_S)


@pytest.mark.parametrize(
    ("verb", "streams"),
    [
        *(("serve", streams) for streams in (*CLOSED, ">/dev/full", "2>/dev/full")),
        *(("worker", streams) for streams in ("<&-", ALL_CLOSED, "2>/dev/full")),
        *(("dev", streams) for streams in (ALL_CLOSED, ">/dev/full 2>&1")),
    ],
)
def test_what_serves_serves_and_stops_cleanly(folder: Path, verb: str, streams: str) -> None:
    port = free_port()
    where = {"DISPATCHER_PORT": str(port)} if verb != "worker" else {"DISPATCHER_METRICS_PORT": str(port)}
    with started(folder, verb, streams, DISPATCHER_SECRET_KEYS=new_key(), **where) as process:
        until_answers(process, port)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=DEADLINE_S)
        assert process.returncode == 0, err
        assert "Traceback" not in err


@pytest.mark.parametrize("streams", ["<&-", ALL_CLOSED])
def test_workers_of_a_supervisor_live(folder: Path, streams: str) -> None:
    metrics = free_ports(2)
    settings = {"DISPATCHER_SECRET_KEYS": new_key(), "DISPATCHER_METRICS_PORT": str(metrics)}
    with started(folder, "worker --processes 2", streams, **settings) as process:
        for port in (metrics, metrics + 1):
            until_answers(process, port)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=DEADLINE_S)
        assert process.returncode == 0, err
        assert "worker died" not in err


@pytest.mark.parametrize("streams", CLOSED)
@pytest.mark.parametrize(("words", "expected"), [("doctor", 0), ("events", 2), ("config", 0), (VERIFY, 1), ("no", 2)])
def test_what_ends_ends_with_its_own_status_though_streams_are_closed(
    folder: Path, words: str, expected: int, streams: str
) -> None:
    found, _, err = ran(folder, words, streams)
    assert found == expected, err
    assert "Traceback" not in err


@pytest.mark.parametrize("words", [VERIFY, f"{VERIFY} --json", "config", "config --new-key", "--version", "--help"])
def test_output_that_cannot_be_written_is_one_line_and_status_1(folder: Path, words: str) -> None:
    found, _, err = ran(folder, words, ">/dev/full")
    assert (found, err) == (1, "error: standard output cannot be written: No space left on device\n")


def test_a_complaint_that_cannot_be_written_leaves_the_status(folder: Path) -> None:
    assert ran(folder, "serve", "2>/dev/full")[0] == 2


def test_a_reader_that_has_seen_enough_hears_no_complaint(folder: Path) -> None:
    found, _, err = ran(folder, "config", "| true")
    assert (found, err) == (0, "")
