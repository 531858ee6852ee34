"""Output of verbs: a table for people, JSON for programs. Never decides what to show."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson
import typer

from dispatcher.cli.terminal.table import print_table
from dispatcher.policy.secrets.redaction import escape


def print_json(value: object) -> None:
    """``value`` as indented JSON on standard output."""
    typer.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS, default=str).decode())


def print_listing(
    rows: Sequence[Mapping[str, object]],
    columns: Mapping[str, str],
    *,
    as_json: bool = False,
    styles: Mapping[str, str] | None = None,
    readable: Mapping[str, Callable[[Any], object]] | None = None,
) -> None:
    """``columns``: field → heading. JSON holds every field. ``styles``: a cell's text → its colour.

    ``readable``: field → its value for people, where that is another than programs get.
    """
    if as_json:
        print_json(list(rows))
        return
    cells = [[cell(_for_people(row, field, readable or {})) for field in columns] for row in rows]
    print_table(list(columns.values()), cells, styles)


def _for_people(row: Mapping[str, object], field: str, readable: Mapping[str, Callable[[Any], object]]) -> object:
    value = row.get(field)
    return readable[field](value) if field in readable and value is not None else value


def cell(value: object) -> str:
    """One line of text without control characters, so that foreign text cannot steer the terminal."""
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case list() | tuple() | set() | frozenset():
            return " ".join(cell(item) for item in value)
        case _:
            return escape(str(value))


def note(text: str) -> None:
    """A line for people, on standard error so that it is not part of a program's input."""
    typer.echo(text, err=True)
