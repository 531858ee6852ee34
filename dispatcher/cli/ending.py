"""Beginning and end of a program: imports without garbage collection, and errors as a line and an exit status.

Loads what a line is coloured with only when there is one to say.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from dispatcher.cli.terminal.standard_streams import ReaderGone
from dispatcher.errors import ConfigurationError, DispatcherError, InvalidRequest, StoreUnusable, Unprocessable

READER_GONE = 128 + 13
"""As a shell tells of a program that SIGPIPE ended, which is what becomes of others before `head`."""
LOGGING = frozenset({"serve", "worker", "dev"})
"""Verbs that serve, and log what they do."""


@contextmanager
def errors_told(given: Sequence[str]) -> Iterator[None]:
    """Ends the program for an error of ours; ``given``: verb and arguments."""
    try:
        yield
    except (ConfigurationError, StoreUnusable, InvalidRequest, Unprocessable) as error:
        _complain(str(error), given)
        sys.exit(2)
    except ReaderGone:
        sys.exit(READER_GONE)
    except DispatcherError as error:
        _complain(str(error), given)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


@contextmanager
def nothing_collected() -> Iterator[None]:
    """Imports without garbage collection: all that modules make stays, and looking through it costs 30 ms."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def colour() -> bool | None:
    """None = on a terminal; with ``NO_COLOR`` (no-color.org) nowhere."""
    return False if os.environ.get("NO_COLOR") else None


def _complain(text: str, given: Sequence[str]) -> None:
    """One line, red on a terminal; of a process whose log is JSON one more line of that."""
    import typer

    if os.environ.get("DISPATCHER_LOG_FORMAT") == "json" and not LOGGING.isdisjoint(given[:1]):
        from dispatcher.telemetry.logs import last_line

        typer.echo(last_line(text), err=True)
        return
    typer.secho("error: " + " ".join(text.split()), fg=typer.colors.RED, err=True, color=colour())
