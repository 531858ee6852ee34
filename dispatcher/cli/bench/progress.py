"""Two bars of a run, what was accepted and what has arrived: on a terminal; silence elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from dispatcher.cli.bench.sending import Sent


class Bars:
    def __init__(self, progress: Progress, events: int) -> None:
        self._progress = progress
        self._accepted = progress.add_task("accepted", total=events)
        self._delivered = progress.add_task("delivered", total=events)

    def answered(self, one: Sent) -> None:
        if one.event_id is not None:
            self._progress.advance(self._accepted)

    def delivered(self, arrivals: int) -> None:
        self._progress.update(self._delivered, completed=arrivals)


@contextmanager
def bars(events: int) -> Iterator[Bars]:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description:<9}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield Bars(progress, events)
