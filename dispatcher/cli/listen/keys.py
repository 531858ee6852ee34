"""Keys of a terminal while something else goes on; none where standard input is no terminal."""

from __future__ import annotations

import asyncio
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def keys(pressed: Callable[[str], None]) -> Iterator[bool]:
    """Calls ``pressed`` with each key; yields whether there are any. The terminal is left as it was."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        yield False
        return
    number, loop = sys.stdin.fileno(), asyncio.get_running_loop()
    before = termios.tcgetattr(number)
    tty.setcbreak(number)
    loop.add_reader(number, lambda: pressed(sys.stdin.read(1)))
    try:
        yield True
    finally:
        loop.remove_reader(number)
        termios.tcsetattr(number, termios.TCSADRAIN, before)
