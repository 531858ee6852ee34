"""The command as people type it: a real process in an empty folder, with none of this machine's settings.

Where only what a verb says matters, ``Shell.quick`` runs it in this process, which takes a tenth of the time.
"""

from __future__ import annotations

import asyncio
import io
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest

from dispatcher.cli.main import main
from tests.waiting import until

DEADLINE_S = 60.0
COMMAND = (sys.executable, "-m", "dispatcher.cli.main")


@dataclass(frozen=True, slots=True)
class Ran:
    """How one command ended."""

    status: int
    out: str
    err: str

    def json(self) -> Any:
        return orjson.loads(self.out)


@dataclass(slots=True)
class Running:
    """A command that stays up; its output goes to a file, so that it never blocks."""

    process: asyncio.subprocess.Process
    log: Path

    def said(self) -> str:
        return self.log.read_text()

    async def until_said(self, pattern: str) -> str:
        """The first group of ``pattern``, once it has been printed."""

        def found() -> re.Match[str] | None:
            matched = re.search(pattern, self.said())
            assert matched or self.process.returncode is None, self.said()
            return matched

        return (await until(found, DEADLINE_S, tell=self.said))[1]

    async def stop(self, number: int = signal.SIGTERM) -> int:
        if self.process.returncode is None:
            self.process.send_signal(number)
        return await asyncio.wait_for(self.process.wait(), DEADLINE_S)


@dataclass(frozen=True, slots=True)
class Shell:
    """A working directory with nothing in it but what commands leave there."""

    folder: Path

    async def run(self, *arguments: str, stdin: bytes = b"", **settings: str) -> Ran:
        process = await asyncio.create_subprocess_exec(
            *COMMAND,
            *arguments,
            cwd=self.folder,
            env=environment(settings),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            out, err = await asyncio.wait_for(process.communicate(stdin), DEADLINE_S)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return Ran(process.returncode or 0, out.decode(), err.decode())

    async def quick(self, *arguments: str, stdin: bytes = b"") -> Ran:
        """In a thread of this process, one at a time: for verbs that end by themselves."""
        with pytest.MonkeyPatch.context() as patch:
            for name in [name for name in os.environ if name.startswith("DISPATCHER_")]:
                patch.delenv(name)
            patch.setenv("DISPATCHER_DATA_DIR", str(self.folder / ".dispatcher"))
            streams = [io.TextIOWrapper(io.BytesIO(given), encoding="utf-8") for given in (stdin, b"", b"")]
            for name, stream in zip(("stdin", "stdout", "stderr"), streams, strict=True):
                patch.setattr(sys, name, stream)
            status = await asyncio.wait_for(asyncio.to_thread(_status, arguments), DEADLINE_S)
        return Ran(status, *(_text(stream) for stream in streams[1:]))

    @asynccontextmanager
    async def running(self, *arguments: str, **settings: str) -> AsyncIterator[Running]:
        log = self.folder / f"{arguments[0]}.log"
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *COMMAND, *arguments, cwd=self.folder, env=environment(settings), stdout=output, stderr=output
            )
        running = Running(process, log)
        try:
            yield running
        finally:
            try:
                await running.stop()
            except TimeoutError:
                process.kill()
                await process.wait()


def _status(arguments: Sequence[str]) -> int:
    try:
        main(arguments)
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    raw = stream.detach()
    assert isinstance(raw, io.BytesIO)
    return raw.getvalue().decode()


def environment(settings: dict[str, str]) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DISPATCHER_")}
    root = str(Path(__file__).parents[2])
    return inherited | {"PYTHONPATH": root, "COLUMNS": "200"} | settings
