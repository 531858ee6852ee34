"""The command as people type it: a real process in an empty folder, with none of this machine's settings.

Where only what a verb says matters, ``Shell.quick`` runs it in this process, which takes a tenth of the time.
"""

from __future__ import annotations

import asyncio
import io
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from dispatcher.cli.main import main
from tests.programs import DEADLINE_S, Program, Ran, dispatcher_command, ran

WIDE = {"COLUMNS": "200"}


@dataclass(frozen=True, slots=True)
class Shell:
    """A working directory with nothing in it but what commands leave there."""

    folder: Path

    async def run(self, *arguments: str, stdin: bytes = b"", **settings: str) -> Ran:
        return await ran(dispatcher_command(*arguments), self.folder, WIDE | settings, stdin=stdin)

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

    def running(self, *arguments: str, **settings: str) -> Program:
        """A command that stays up, where not its start is what matters."""
        return Program.of_dispatcher(self.folder, WIDE | settings, *arguments)

    def started(self, *arguments: str, **settings: str) -> Program:
        """``running``, from its very beginning."""
        command = dispatcher_command(*arguments)
        return Program(self.folder, command, WIDE | settings, name=arguments[0], cwd=self.folder)


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
