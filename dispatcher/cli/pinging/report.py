"""A ping test in words: a line for each step, and below each fault what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

import typer

from dispatcher.cli.terminal.output import cell

COLOURS = {"PASSED": typer.colors.GREEN, "FAILED": typer.colors.RED, "NOT_CONFIGURED": typer.colors.YELLOW}
_MARKS: dict[bool | None, tuple[str, str | None]] = {
    True: ("ok", typer.colors.GREEN),
    False: ("FAIL", typer.colors.RED),
    None: ("-", None),
}


def show_result(result: dict[str, Any]) -> None:
    """One type: its outcome, then each step on the way."""
    typer.echo("")
    typer.echo(f"{result['eventType']}  {_status(result['status'])}  {cell(result['url'])}")
    if result["message"] and not result["steps"]:
        typer.echo(f"  {cell(result['message'])}")
    for step in result["steps"]:
        mark, colour = _MARKS[step["ok"]]
        _line(mark, colour, step["name"], step)


def show_checks(checks: list[dict[str, Any]]) -> None:
    """The host's reactions to what it has to refuse; one line where nothing can be said of a URL."""
    for url, group in groupby(checks, lambda check: check["url"]):
        of_url = list(group)
        typer.echo("")
        typer.echo(f"SECURITY  {cell(url)}")
        if len({(check["text"], check["remedy"]) for check in of_url}) == 1:
            of_url = [of_url[0] | {"name": "ALL CHECKS"}]
        for check in of_url:
            mark = {"PASSED": "ok", "FAILED": "FAIL"}.get(check["status"], "-")
            _line(mark, COLOURS.get(check["status"]), check["name"], check)


def show_end(test: dict[str, Any]) -> None:
    """The last line: the outcome of it all."""
    typer.echo("")
    typer.echo(f"{_status(test['status'])}  {', '.join(_counts(test))}")


def _line(mark: str, colour: str | None, name: str, about: dict[str, Any]) -> None:
    took = "" if about["durationMs"] is None else f"{about['durationMs']:.1f} ms"
    typer.echo(f"  {typer.style(mark.ljust(4), fg=colour)}  {name:<16} {took:>10}  {cell(about['text'])}")
    if about["remedy"]:
        typer.echo(f"{'':>36}→ {cell(about['remedy'])}")


def _status(status: str) -> str:
    return typer.style(status, fg=COLOURS.get(status), bold=True)


def _counts(test: dict[str, Any]) -> Iterator[str]:
    for field, word in (("results", "URLs"), ("securityChecks", "security checks")):
        tried = [one for one in test[field] if one["status"] != "NOT_CONFIGURED"]
        if tried:
            yield f"{sum(one['status'] == 'PASSED' for one in tried)} of {len(tried)} {word} passed"
