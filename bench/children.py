"""Processes that the benchmark starts: programs that stay, and jobs that answer. Ends only what it started."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
START_WITHIN_S = 30.0
STOP_WITHIN_S = 15.0
JOB_WITHIN_S = 180.0


class ChildFailed(Exception):
    """A process of the benchmark ended or kept silent; the text is the end of what it said."""


@dataclass(frozen=True, slots=True)
class Child:
    process: asyncio.subprocess.Process
    log: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    def hold(self) -> None:
        """Stop it where it is; it uses no CPU until ``go_on``."""
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    async def said(self, pattern: str) -> str:
        """The first group of ``pattern``, once the process has said it."""
        async with asyncio.timeout(START_WITHIN_S):
            while (found := re.search(pattern, _read(self.log))) is None:
                if self.process.returncode is not None:
                    raise ChildFailed(_read(self.log)[-2000:])
                await asyncio.sleep(0.05)
        return found[1]

    async def stop(self) -> None:
        if self.process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            self.process.terminate()
            self.go_on()
        try:
            await asyncio.wait_for(self.process.wait(), STOP_WITHIN_S)
        except TimeoutError:
            self.process.kill()
            await self.process.wait()


@asynccontextmanager
async def program(
    folder: Path, arguments: Sequence[str], settings: Mapping[str, str] | None = None
) -> AsyncIterator[Child]:
    """``python -m arguments…`` until the block is left."""
    log = folder / f"{'-'.join(arguments[:2]).replace('/', '-')[:60]}.log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", *arguments, env=_environment(settings or {}), stdout=output, stderr=output
        )
    child = Child(process, log)
    try:
        yield child
    finally:
        await child.stop()


async def job(module: str, task: Mapping[str, Any]) -> dict[str, Any]:
    """The answer of ``python -m module`` to ``task``; both are JSON."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        env=_environment({}),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        answer, complaint = await asyncio.wait_for(process.communicate(orjson.dumps(task)), JOB_WITHIN_S)
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        raise
    if process.returncode != 0:
        raise ChildFailed(complaint.decode()[-2000:])
    found: dict[str, Any] = orjson.loads(answer)
    return found


def cpu_s(pid: int) -> float:
    """User and system time of a process so far, to 10 ms."""
    fields = _read(Path(f"/proc/{pid}/stat")).rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def _environment(settings: Mapping[str, str]) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DISPATCHER_")}
    return inherited | dict(settings)


def _read(path: Path) -> str:
    return path.read_text(errors="replace")
