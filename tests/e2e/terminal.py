"""A real terminal with a verb in it, and a person who presses keys. Holds no test."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import re
import signal
import struct
import termios
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.programs import DEADLINE_S, Program, dispatcher_command
from tests.waiting import until

SHOWN, LEFT = "\x1b[?1049h", "\x1b[?1049l"
COLOUR = re.compile(r"\x1b\[(?:\d+;)*(?:3|4|9|10)\d(?:;\d+)*m")


@dataclass
class Terminal:
    """The end of a terminal that a person sits before."""

    keyboard: int
    program: Program
    written: bytearray = field(default_factory=bytearray)

    @property
    def said(self) -> str:
        return self.written.decode(errors="replace")

    def press(self, keys: str) -> None:
        os.write(self.keyboard, keys.encode())

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.keyboard, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    async def shows(self, text: str) -> None:
        await until(lambda: text in self.said, DEADLINE_S)

    def take(self) -> None:
        self.written += os.read(self.keyboard, 65536)


@asynccontextmanager
async def in_terminal(folder: Path, *arguments: str) -> AsyncIterator[Terminal]:
    """Until the verb has ended by itself, which has to leave the terminal as it was."""
    ours, theirs = pty.openpty()
    before = termios.tcgetattr(theirs)
    streams: dict[str, Any] = {"stdin": theirs, "stdout": theirs, "stderr": theirs}
    as_usual = {"TERM": "xterm-256color", "NO_COLOR": "1"}
    command = dispatcher_command(*arguments)
    program = Program(folder, command, as_usual, cwd=folder, preexec_fn=_take_over, **streams)
    terminal, loop = Terminal(ours, program), asyncio.get_running_loop()
    terminal.resize(24, 100)
    loop.add_reader(ours, terminal.take)
    try:
        yield terminal
        await program.ended()
        assert termios.tcgetattr(theirs) == before
    finally:
        loop.remove_reader(ours)
        program.kill()
        os.close(ours)
        os.close(theirs)


def _take_over() -> None:
    """Makes standard input the terminal whose Ctrl-C interrupts this process, also when tests run in the background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
