"""Makes the standard streams safe to use, before anything else of a program: closed, full, or with nobody reading.

Never decides what is said on them.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
from typing import TYPE_CHECKING, TextIO

from dispatcher.errors import DispatcherError

if TYPE_CHECKING:
    from typing_extensions import Buffer

STREAMS = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))
"""By their descriptors: 0, 1, 2."""


class OutputFailed(DispatcherError):
    """Standard output does not take the output of a verb."""


class ReaderGone(DispatcherError):
    """Nobody reads standard output any more: an ordinary end of a listing."""


def prepare_streams() -> None:
    """From here on descriptors 0 to 2 are open, output that fails is an error of ours, and complaints never fail."""
    _open_closed_ones()
    sys.stdout = _on(_Output, sys.stdout)
    sys.stderr = _on(_Complaints, sys.stderr)


def announce(text: str) -> None:
    """The lines of a program that serves: it goes on when they cannot be written."""
    import typer

    with contextlib.suppress(OutputFailed, ReaderGone):
        typer.echo(text)


class _Output(io.FileIO):
    """Fails once: what a buffer still holds then goes nowhere, so that the end of the program does not fail again.

    A pipe whose reader has gone is an ordinary end of a listing.
    """

    failed = False

    def write(self, data: Buffer, /) -> int:
        if self.failed:
            return memoryview(data).nbytes
        try:
            return super().write(data)
        except OSError as error:
            self.failed = True
            if error.errno == errno.EPIPE:
                raise ReaderGone("nobody reads standard output any more") from None
            raise OutputFailed(f"standard output cannot be written: {error.strerror}") from None


class _Complaints(io.FileIO):
    """Drops what cannot be written: the exit status still tells."""

    def write(self, data: Buffer, /) -> int:
        """Nor does it wait for a descriptor that does not block: ``FileIO`` then says None."""
        with contextlib.suppress(OSError):
            return super().write(data) or memoryview(data).nbytes
        return memoryview(data).nbytes


def _open_closed_ones() -> None:
    """A socket or a file that took such a number would be written to by accident, and uvloop gives up.

    What is opened takes the lowest number that is free: this one.
    """
    for number, (name, mode) in enumerate(STREAMS):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, mode, closefd=False))


def _on(raw: type[io.FileIO], stream: TextIO) -> TextIO:
    """The same stream through ``raw``; one that stands in for it, such as a test's, is left alone."""
    try:
        number = stream.fileno()
    except io.UnsupportedOperation:
        return stream
    buffer = io.BufferedWriter(raw(number, "w", closefd=False))
    return io.TextIOWrapper(buffer, stream.encoding, stream.errors, line_buffering=True)
