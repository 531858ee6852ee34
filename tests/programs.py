"""Processes of ours: the one way in which tests start them, wait for what they say, and end them. Holds no test."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL, SIGTERM
from typing import Any, BinaryIO, Self

import orjson

from tests.nursery import Born, nursery
from tests.waiting import until

DEADLINE_S = 60.0

UNTIL_STDIN_ENDS = ("sh", "-c", '"$@" & read _; kill $!; wait $!', "sh")
"""Runs a command for as long as this process holds its input, so that a killed test run leaves no server behind."""


def dispatcher_command(*arguments: str, code: str = "") -> tuple[str, ...]:
    """``dispatcher`` with these arguments; ``code``: Python that runs in its place."""
    return (sys.executable, *(("-c", code) if code else ("-m", "dispatcher.cli.main")), *arguments)


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """This one with these settings; what it says of the product, or of how wide a terminal is, does not count."""
    foreign = {name: value for name, value in os.environ.items() if not name.startswith(("DISPATCHER_", "COLUMNS"))}
    return foreign | dict(settings)


@dataclass(frozen=True, slots=True)
class Ran:
    """The end of one command."""

    status: int
    out: str
    err: str

    @property
    def said(self) -> str:
        return self.out + self.err

    def json(self) -> Any:
        return orjson.loads(self.out)


def completed(
    command: Sequence[str],
    folder: Path | None = None,
    settings: Mapping[str, str] | None = None,
    *,
    stdin: bytes = b"",
    within_s: float = DEADLINE_S,
) -> Ran:
    """Run a command that ends by itself."""
    ended = subprocess.run(
        command,
        cwd=folder,
        env=environment(settings or {}),
        input=stdin,
        capture_output=True,
        timeout=within_s,
        check=False,
    )
    return Ran(ended.returncode, ended.stdout.decode(), ended.stderr.decode())


async def ran(
    command: Sequence[str],
    folder: Path | None = None,
    settings: Mapping[str, str] | None = None,
    *,
    stdin: bytes = b"",
    within_s: float = DEADLINE_S,
) -> Ran:
    """``completed``, while this process goes on with what the command asks of it."""
    return await asyncio.to_thread(completed, command, folder, settings, stdin=stdin, within_s=within_s)


class Program:
    """A process that stays up; as ``async with``, until the block is left.

    What it says goes to a file of ``folder``, named after ``name``, so that it never blocks. ``how``: of
    ``subprocess.Popen``.
    """

    process: subprocess.Popen[bytes] | Born

    def __init__(
        self, folder: Path, command: Sequence[str], settings: Mapping[str, str], *, name: str = "program", **how: Any
    ) -> None:
        with self._logged(folder, name) as output:
            streams: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": output, "stderr": output}
            self.process = subprocess.Popen(command, env=environment(settings), **(streams | how))

    @classmethod
    def of_dispatcher(cls, folder: Path, settings: Mapping[str, str], *arguments: str) -> Self:
        """For tests of what it does, not of how it starts: born instead of started where nothing speaks against it."""
        given = environment(settings)
        if not nursery().can_bear(given):
            return cls(folder, dispatcher_command(*arguments), settings, name=arguments[0], cwd=folder)
        born = cls.__new__(cls)
        with born._logged(folder, arguments[0]) as output:
            born.process = nursery().bear(arguments, given, folder, output.fileno())
        return born

    def _logged(self, folder: Path, name: str) -> BinaryIO:
        self.log = folder / f"{name}-{time.monotonic_ns()}.log"
        return self.log.open("wb")

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def said(self) -> str:
        return self.log.read_text()

    async def heard(self, pattern: str) -> str:
        """The first group of what it says that matches, once it does."""

        def found() -> re.Match[str] | None:
            matched = re.search(pattern, self.said())
            assert matched or self.alive, self.said()
            return matched

        return (await until(found, DEADLINE_S, tell=self.said))[1]

    async def ended(self, within_s: float = DEADLINE_S) -> int:
        """Its exit status."""
        await until(lambda: not self.alive, within_s, tell=self.said)
        return self.process.wait()

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    async def stop(self, number: int = SIGTERM) -> int:
        """Its exit status, once it did what this signal asks for."""
        self.signal(number)
        return await self.ended()

    def kill(self) -> None:
        """End it as a crash does."""
        self.process.kill()
        self.process.wait()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            await self.stop()
        finally:
            self.kill()


def completed_with_its_children(
    command: Sequence[str], folder: Path, settings: Mapping[str, str], within_s: float = DEADLINE_S
) -> Ran:
    """``completed``, when nothing that it started may outlive the call; ``out`` holds what it complained of too."""
    process = subprocess.Popen(
        command,
        cwd=folder,
        env=environment(settings),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=within_s)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, SIGKILL)
    return Ran(process.returncode, output.decode(), "")


@contextlib.contextmanager
def attended(command: Sequence[str], *, log: BinaryIO | None = None) -> Iterator[None]:
    """A server for as long as the context, or else this process, lasts; ``log`` takes what it says."""
    output = log or subprocess.DEVNULL
    process = subprocess.Popen([*UNTIL_STDIN_ENDS, *command], stdin=subprocess.PIPE, stdout=output, stderr=output)
    try:
        yield
    finally:
        process.communicate(timeout=DEADLINE_S)
