"""Keys of a terminal: bytes to names, and the mode in which each is read at once. Decides nothing."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

UP, DOWN, TOP, BOTTOM = "up", "down", "top", "bottom"
ENTER, ESCAPE, ERASE = "enter", "escape", "erase"

_SEQUENCES = {
    "\x1b[A": UP,
    "\x1b[B": DOWN,
    "\x1bOA": UP,
    "\x1bOB": DOWN,
    "\x1b[H": TOP,
    "\x1b[F": BOTTOM,
    "\r": ENTER,
    "\n": ENTER,
    "\x1b": ESCAPE,
    "\x7f": ERASE,
    "\x08": ERASE,
}


def keys_in(text: str) -> list[str]:
    """Names of special keys, and characters. A sequence that stands for no key here is nothing."""
    found, at = [], 0
    while at < len(text):
        size = _sequence_size(text, at)
        sequence = text[at : at + size]
        if sequence in _SEQUENCES:
            found.append(_SEQUENCES[sequence])
        elif size == 1 and sequence.isprintable():
            found.append(sequence)
        at += size
    return found


def _sequence_size(text: str, at: int) -> int:
    """Of an escape sequence (ECMA-48 §5.4), else 1."""
    if text[at] != "\x1b" or text[at + 1 : at + 2] not in ("[", "O"):
        return 1
    end = at + 2
    while end < len(text) and not "@" <= text[end] <= "~":
        end += 1
    return end - at + 1


def has_keys() -> bool:
    """True where a person sits before a terminal whose keys can be read one by one."""
    try:
        import termios  # noqa: F401 - not everywhere
    except ImportError:
        return False
    return sys.stdin.isatty() and sys.stdout.isatty()


@contextlib.contextmanager
def each_at_once() -> Iterator[None]:
    """Keys come one by one and are not shown; Ctrl-C stays what it is. The terminal is left as it was."""
    import termios
    import tty

    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    tty.setcbreak(descriptor)
    try:
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
