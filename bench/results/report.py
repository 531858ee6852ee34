"""Shows the figures: one table, ``results.json``, a plot. Measures nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import orjson
from rich.console import Console
from rich.table import Table

from bench.results.figures import Figure

MET = {True: "[green]yes[/]", False: "[red]no[/]", None: ""}


def table(figures: Sequence[Figure]) -> Table:
    """One row a figure: medians, and the median of the rounds' ratios."""
    shown = Table(title="marketplace-dispatcher benchmark")
    for name in ("figure", "value", "beside", "peer", "ratio", "goal", "met"):
        shown.add_column(name, justify="right" if name in ("value", "beside", "ratio", "goal") else "left")
    for one in figures:
        beside = "" if one.peer_value is None else quantity(one.peer_value, one.unit)
        ratio = "" if one.ratio is None else f"{one.ratio:.2f}"
        goal = str(one.goal) if one.goal else ""
        shown.add_row(one.name, quantity(one.value, one.unit), beside, one.peer, ratio, goal, MET[one.met])
    return shown


def quantity(value: float, unit: str) -> str:
    """Three digits that matter, and the unit."""
    text = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
    return f"{text} {unit}"


def notes(figures: Sequence[Figure]) -> list[str]:
    return [f"{one.name}: {one.note}" for one in figures if one.note]


def show(figures: Sequence[Figure], console: Console) -> None:
    console.print(table(figures))
    for note in notes(figures):
        console.print(note, style="dim", markup=False, highlight=False)


def write_results(
    figures: Sequence[Figure], machine: dict[str, object], settings: dict[str, object], path: Path
) -> None:
    """All rounds of every figure, with what they were measured on."""
    record = {"machine": machine, "settings": settings, "figures": [one.as_record() for one in figures]}
    path.write_bytes(orjson.dumps(record, option=orjson.OPT_INDENT_2) + b"\n")
