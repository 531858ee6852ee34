"""Programs that a benchmark starts and ends. Never ends one that it did not start."""

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

from dispatcher.errors import DispatcherError

START_WITHIN_S = 60.0
STOP_WITHIN_S = 15.0
LOOK_S = 0.05


class ChildFailed(DispatcherError):
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
        try:
            async with asyncio.timeout(START_WITHIN_S):
                while (found := re.search(pattern, self._text())) is None:
                    if self.process.returncode is not None:
                        raise ChildFailed(self._text()[-2000:])
                    await asyncio.sleep(LOOK_S)
        except TimeoutError:
            raise ChildFailed(f"a process did not start within {START_WITHIN_S:g} s: {self._text()[-2000:]}") from None
        return found[1]

    async def kill(self) -> None:
        """End it as a crash does, without a word."""
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()

    async def stop(self) -> None:
        if self.process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            self.process.terminate()
            self.go_on()
        try:
            await asyncio.wait_for(self.process.wait(), STOP_WITHIN_S)
        except TimeoutError:
            await self.kill()

    def _text(self) -> str:
        return self.log.read_text(errors="replace")


@asynccontextmanager
async def program(
    folder: Path, arguments: Sequence[str], settings: Mapping[str, str] | None = None, *, name: str = ""
) -> AsyncIterator[Child]:
    """``python -m arguments…`` until the block is left; ``name``: of its log, where several run of the same."""
    log = folder / f"{name or '-'.join(arguments[:2]).replace('/', '-')[:60]}.log"
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", *arguments),
            env=environment(settings or {}),
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    child = Child(process, log)
    try:
        yield child
    finally:
        await child.stop()


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """This one without its own settings. Modules are found where this program finds them, and nowhere else."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DISPATCHER_")}
    return inherited | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))} | dict(settings)
