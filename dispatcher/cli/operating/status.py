"""``dispatcher status``: the verdict, what needs somebody first, and what mends it. Changes nothing.

Exit status: 0 = nothing needs anybody, 1 = something does, or nobody can tell, 2 = usage, or credentials refused.
"""

from __future__ import annotations

import textwrap
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, cast

import typer

from dispatcher.cli.api_access import AsJson, Connection, with_api
from dispatcher.cli.terminal.option_groups import grouped
from dispatcher.cli.terminal.output import cell, note, print_json
from dispatcher.cli.terminal.table import terminal_width
from dispatcher.client import ApiError, Client
from dispatcher.client.answers import ProblemJson, StatusJson

STALE_S = 15.0
STORE_AWAY = 503
COLOURS = {"page": "bright_red", "act": "yellow", "info": "blue"}
INDENT = " " * 6


@grouped
def status(
    *,
    acknowledge: Annotated[
        str | None, typer.Option(metavar="ID", help="Only say that somebody knows of this problem.")
    ] = None,
    as_json: AsJson = False,
    connection: Connection,
) -> None:
    """Say what needs somebody, and what mends it. Status 1 while something does, or when nobody can tell.

    Example: dispatcher status --json
    """
    if acknowledge is not None:
        _acknowledge(acknowledge, connection, as_json=as_json)
        return
    said = with_api(connection.access(), _verdict, unreachable=1)
    stale = _age_s(said) > STALE_S
    if as_json:
        print_json(said)
    else:
        _show(said)
    if stale:
        note(f"judged {_age_s(said):.0f} s ago: see that an API process runs and Redis takes writes")
    if stale or not said["ok"]:
        raise typer.Exit(1)


async def _verdict(client: Client) -> StatusJson:
    """The API's; while Redis is away, and nobody gets a token, what it tells everybody of that."""
    try:
        return await client.status()
    except ApiError as error:
        since = await client.away_since() if error.status == STORE_AWAY else None
        if since is None:
            raise
    return _store_away(int(datetime.fromisoformat(since).timestamp() * 1000), int(time.time() * 1000))


def _store_away(since_ms: int, now_ms: int) -> StatusJson:
    """Loads what makes a verdict, which is needed in an outage alone."""
    from dispatcher.api.rest.operating.status import verdict_json
    from dispatcher.policy.verdict import away

    return cast("StatusJson", verdict_json(away(None, since_ms, now_ms)))


def _acknowledge(problem_id: str, connection: Connection, *, as_json: bool) -> None:
    known = with_api(connection.access(), lambda client: client.acknowledge(problem_id))
    if as_json:
        print_json(known)
    else:
        typer.echo(f"acknowledged by {cell(known['by'])} at {cell(known['at'])}: told as info until it has ended")


def _age_s(said: StatusJson) -> float:
    return time.time() - datetime.fromisoformat(said["at"]).timestamp()


def _show(said: StatusJson) -> None:
    width, at = terminal_width(), datetime.fromisoformat(said["at"]).astimezone(UTC)
    if said["ok"]:
        typer.secho("\n".join(_wrapped(said["text"], width, "")), fg="green")
    for problem in said["problems"]:
        _show_problem(problem, width)
    if said["more"]:
        typer.echo(f"… and {said['more']} more problems")
    typer.secho(f"as of {at:%H:%M:%S} UTC", dim=True)


def _show_problem(problem: ProblemJson, width: int | None) -> None:
    first, *rest = _wrapped(problem["text"], width, INDENT)
    label = typer.style(f"{problem['severity'].upper():<6}", fg=COLOURS.get(problem["severity"]), bold=True)
    typer.echo(label + first.removeprefix(INDENT))
    for line in (*rest, *_details(problem)):
        typer.echo(line)


def _details(problem: ProblemJson) -> Iterator[str]:
    """A line each, never broken, so that commands can be copied."""
    if known := problem.get("acknowledged"):
        yield f"{INDENT}acknowledged by {cell(known['by'])} at {cell(known['at'])}"
    for action in problem["actions"]:
        yield f"{INDENT}→ {cell(action['name'])}: {cell(action.get('command') or action.get('advice'))}"


def _wrapped(text: str, width: int | None, indent: str) -> list[str]:
    plain = cell(text)
    if width is None:
        return [indent + plain]
    options: Mapping[str, Any] = {"initial_indent": indent, "subsequent_indent": indent, "break_long_words": False}
    return textwrap.wrap(plain, width, **options) or [indent]
