"""The demo on screen: a table that changes on a terminal, a line for each change elsewhere. Decides nothing."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from dispatcher.cli.demo.story import Line, Show
from dispatcher.cli.terminal.output import cell

HEADINGS = ("EVENT", "SEQUENCE", "STATUS", "SIGNATURE", "TOKEN", "ATTEMPT", "ANSWER", "LATENCY")
WIDTHS = (8, 8, 10, 9, 8, 7, 7, 7)
STYLES = {
    "SUCCEEDED": "green",
    "RETRYING": "yellow",
    "HELD": "blue",
    "DEAD": "bold red",
    "FAILED": "bold red",
    "verified": "green",
    "WRONG": "bold red",
}


def step(name: str, text: str) -> None:
    """One thing that is in place."""
    typer.echo(f"  {typer.style(_tick(), fg=typer.colors.GREEN)} {name:<12} {text}")


def title(text: str) -> None:
    typer.echo("")
    typer.secho(text, bold=True)


@contextmanager
def watching() -> Iterator[Show]:
    """Shows events as they change."""
    if not sys.stdout.isatty():
        yield _Plain().show
        return
    with Live(console=Console(), auto_refresh=False) as live:
        yield lambda lines: live.update(_table(lines), refresh=True)


class _Plain:
    """A line when an event is first seen to have been tried, and when it has ended."""

    def __init__(self) -> None:
        self._shown: set[tuple[str, int, bool]] = set()
        typer.echo(_row(HEADINGS))

    def show(self, lines: Sequence[Line]) -> None:
        for line in lines:
            state = (line.event_id, line.attempts, line.consumed)
            if line.attempts and state not in self._shown and line.status != "DELIVERING":
                self._shown.add(state)
                typer.echo(_row(_cells(line)))


def _table(lines: Sequence[Line]) -> Table:
    table = Table(*HEADINGS, box=None, header_style="bold", padding=(0, 2, 0, 0))
    for line in lines:
        table.add_row(*(Text(text, style=STYLES.get(text, "")) for text in _cells(line)))
    return table


def _cells(line: Line) -> tuple[str, ...]:
    seen = line.seen
    return (
        line.name,
        cell(line.sequence or None),
        line.status,
        "-" if seen is None else "verified" if seen.genuine else "WRONG",
        "-" if seen is None else "verified" if seen.authorised else "WRONG",
        cell(line.attempts),
        cell(line.answers or None),
        "-" if line.latency_ms is None else f"{line.latency_ms:.1f} ms",
    )


def _row(cells: Sequence[str]) -> str:
    padded = (text.ljust(width) for text, width in zip(cells, WIDTHS, strict=True))
    return ("  " + "  ".join(padded)).rstrip()


def _tick() -> str:
    with contextlib.suppress(UnicodeEncodeError, LookupError):
        "✓".encode(sys.stdout.encoding or "ascii")
        return "✓"
    return "+"
