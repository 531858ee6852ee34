"""``--where``: a filter as a text, read before it is sent, so that an error is shown under the place where it is."""

from __future__ import annotations

import time

import typer
from rich.cells import cell_len

from dispatcher.cli.terminal.output import cell
from dispatcher.errors import InvalidRequest, Problem
from dispatcher.policy.event_filter.reading import read_filter


def checked(text: str) -> str:
    """The text as it is. What is wrong is printed with carets under it, and ends the program with 2."""
    try:
        read_filter(text, int(time.time() * 1000), of_failures=True)
    except InvalidRequest as error:
        typer.secho("\n".join(marked(text, error.problems[0])), fg=typer.colors.RED, err=True)
        raise typer.Exit(2) from None
    return text


def marked(text: str, problem: Problem) -> list[str]:
    """The problem, the text, and carets; control characters are shown as one blank each."""
    shown = "".join(character if cell(character) == character else " " for character in text)
    before, wrong = shown[: (problem.position or 1) - 1], shown[(problem.position or 1) - 1 :][: problem.length]
    return [f"error: {problem.message}", f"  {shown}", f"  {' ' * cell_len(before)}{'^' * max(1, cell_len(wrong))}"]
