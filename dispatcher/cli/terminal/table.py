"""Rows in columns for people: as wide as the terminal allows, and never folded in a pipe. Never decides what to show.

Three layouts, the first that fits: every row on a line; long sentences on several lines, broken between words; each row
as a block of lines, one a field. Ids are never cut, so that they can be copied.
"""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Mapping, Sequence
from itertools import zip_longest

import typer
from rich.cells import cell_len

GAP = "  "
NARROWEST = 12
"""Columns of sentences are not made narrower than this."""

Styles = Mapping[str, str]
"""A cell's whole text → its colour."""


def print_table(headings: Sequence[str], rows: Sequence[Sequence[str]], styles: Styles | None = None) -> None:
    """``headings`` above ``rows``, whose cells hold no control characters."""
    for line in table_lines(headings, rows, styles or {}, terminal_width()):
        typer.echo(line)


def terminal_width() -> int | None:
    """Columns of the terminal; None = this is no terminal, any width does."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def table_lines(headings: Sequence[str], rows: Sequence[Sequence[str]], styles: Styles, width: int | None) -> list[str]:
    widths = _widths(headings, rows)
    if width is not None and _total(widths) > width:
        narrowed = _narrowed(headings, rows, widths, width)
        if narrowed is None:
            return _blocks(headings, rows, styles)
        widths = narrowed
    return [_bold(line) for line in _row_lines(headings, widths, {})] + [
        line for row in rows for line in _row_lines(row, widths, styles)
    ]


def _widths(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(cell_len, column)) for column in zip(headings, *rows, strict=True)]


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + len(GAP) * (len(widths) - 1)


def _narrowed(
    headings: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[int], width: int
) -> list[int] | None:
    """The widest columns made narrower until all fit; None when a word would have to be broken for that."""
    least = [
        max(*(cell_len(word) for text in column for word in text.split() or [""]), min(NARROWEST, wide))
        for column, wide in zip(zip(headings, *rows, strict=True), widths, strict=True)
    ]
    if _total(least) > width:
        return None
    found = list(widths)
    while _total(found) > width:
        widest = max((n for n in range(len(found)) if found[n] > least[n]), key=lambda n: found[n])
        found[widest] -= 1
    return found


def _row_lines(row: Sequence[str], widths: Sequence[int], styles: Styles) -> list[str]:
    parts = [
        textwrap.wrap(text, wide, break_long_words=False, break_on_hyphens=False) if cell_len(text) > wide else [text]
        for text, wide in zip(row, widths, strict=True)
    ]
    colours = [styles.get(text) for text in row]
    return [_line(cells, widths, colours) for cells in zip_longest(*parts, fillvalue="")]


def _line(cells: Sequence[str], widths: Sequence[int], colours: Sequence[str | None]) -> str:
    last = max((n for n, text in enumerate(cells) if text), default=0)
    return GAP.join(
        _coloured(text, colour) + " " * (wide - cell_len(text) if n < last else 0)
        for n, (text, wide, colour) in enumerate(zip(cells, widths, colours, strict=True))
        if n <= last
    )


def _blocks(headings: Sequence[str], rows: Sequence[Sequence[str]], styles: Styles) -> list[str]:
    wide = max(map(cell_len, headings))
    blocks = [
        [
            f"{heading.ljust(wide)}{GAP}{_coloured(text, styles.get(text))}"
            for heading, text in zip(headings, row, strict=True)
        ]
        for row in rows
    ]
    return [line for number, block in enumerate(blocks) for line in ([""] if number else []) + block]


def _coloured(text: str, colour: str | None) -> str:
    return typer.style(text, fg=colour) if colour else text


def _bold(text: str) -> str:
    return typer.style(text, bold=True)
