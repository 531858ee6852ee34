"""Programs that are started with standard streams closed or full: they serve, stop and fail as with any others."""

from __future__ import annotations

from pathlib import Path

import pytest

from dispatcher.store.secrets.sealing import new_key
from tests.e2e.test_processes import folder, status
from tests.ports import free_port, free_ports
from tests.programs import DEADLINE_S, Program, Ran, dispatcher_command, ran
from tests.waiting import until

__all__ = ["folder"]

pytestmark = pytest.mark.slow

ALL_CLOSED = "<&- >&- 2>&-"
CLOSED = ("<&-", ">&-", "2>&-", ALL_CLOSED)
VERIFY = "verify --secret whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw --id a --timestamp 1 --signature v1,x"


def redirected(words: str, streams: str) -> tuple[str, ...]:
    """``dispatcher`` under a shell's redirections; what is not redirected is caught."""
    return ("sh", "-c", f'exec "$@" {streams}', "sh", *dispatcher_command(*words.split()))


def settings(folder: Path, **more: str) -> dict[str, str]:
    return {"DISPATCHER_DATA_DIR": str(folder / "data"), "COLUMNS": "200"} | more


def started(folder: Path, words: str, streams: str, **more: str) -> Program:
    own = {"DISPATCHER_SECRET_KEYS": new_key()}
    return Program(folder, redirected(words, streams), settings(folder, **own, **more))


async def ended(folder: Path, words: str, streams: str) -> Ran:
    return await ran(redirected(words, streams), folder, settings(folder))


async def until_answers(program: Program, port: int) -> None:
    def answers() -> bool:
        assert program.alive, program.said()
        return status(f"http://127.0.0.1:{port}/healthz") == 200

    await until(answers, DEADLINE_S, tell=program.said)


@pytest.mark.parametrize(
    ("verb", "streams"),
    [
        *(("serve", streams) for streams in (*CLOSED, ">/dev/full", "2>/dev/full")),
        *(("worker", streams) for streams in ("<&-", ALL_CLOSED, "2>/dev/full")),
        *(("dev", streams) for streams in (ALL_CLOSED, ">/dev/full 2>&1")),
    ],
)
async def test_what_serves_serves_and_stops_cleanly(folder: Path, verb: str, streams: str) -> None:
    port = free_port()
    where = {"DISPATCHER_PORT": str(port)} if verb != "worker" else {"DISPATCHER_METRICS_PORT": str(port)}
    async with started(folder, verb, streams, **where) as program:
        await until_answers(program, port)
        assert await program.stop() == 0, program.said()
        assert "Traceback" not in program.said()


@pytest.mark.parametrize("streams", ["<&-", ALL_CLOSED])
async def test_workers_of_a_supervisor_live(folder: Path, streams: str) -> None:
    metrics = free_ports(2)
    where = {"DISPATCHER_METRICS_PORT": str(metrics)}
    async with started(folder, "worker --processes 2", streams, **where) as program:
        for port in (metrics, metrics + 1):
            await until_answers(program, port)
        assert await program.stop() == 0, program.said()
        assert "worker died" not in program.said()


@pytest.mark.parametrize("streams", CLOSED)
@pytest.mark.parametrize(("words", "expected"), [("doctor", 0), ("events", 2), ("config", 0), (VERIFY, 1), ("no", 2)])
async def test_what_ends_ends_with_its_own_status_though_streams_are_closed(
    folder: Path, words: str, expected: int, streams: str
) -> None:
    found = await ended(folder, words, streams)
    assert found.status == expected, found.err
    assert "Traceback" not in found.err


@pytest.mark.parametrize("words", [VERIFY, f"{VERIFY} --json", "config", "config --new-key", "--version", "--help"])
async def test_output_that_cannot_be_written_is_one_line_and_status_1(folder: Path, words: str) -> None:
    found = await ended(folder, words, ">/dev/full")
    assert (found.status, found.err) == (1, "error: standard output cannot be written: No space left on device\n")


async def test_a_complaint_that_cannot_be_written_leaves_the_status(folder: Path) -> None:
    assert (await ended(folder, "serve", "2>/dev/full")).status == 2


async def test_a_reader_that_has_seen_enough_hears_no_complaint(folder: Path) -> None:
    found = await ended(folder, "config", "| true")
    assert (found.status, found.err) == (0, "")


READER_GOES = '{ until [ -e gone ]; do sleep 0.05; done; "$@"; echo $? > status; } | { exec <&-; : > gone; }'


@pytest.mark.parametrize("words", [f"{VERIFY} --json", "config", "--help"])
async def test_a_verb_whose_reader_has_gone_ends_as_if_by_sigpipe(folder: Path, words: str) -> None:
    command = ("sh", "-c", READER_GOES, "sh", *dispatcher_command(*words.split()))
    found = await ran(command, folder, settings(folder))
    assert ((folder / "status").read_text(), found.err) == ("141\n", "")
