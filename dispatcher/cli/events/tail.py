"""``dispatcher tail``: follows status changes as they happen, across lost connections. Ends with Ctrl-C.

On a whole screen where there is one (``cli/tailing``), as lines everywhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated

import orjson
import typer
from rich.console import Console

from dispatcher.cli.api_access import Connection, with_api
from dispatcher.cli.events.conditions import ChangeConditions
from dispatcher.cli.events.lines import COLOURS
from dispatcher.cli.tailing.full_screen import FullScreen
from dispatcher.cli.tailing.keys import has_keys
from dispatcher.cli.terminal.option_groups import grouped
from dispatcher.cli.terminal.output import cell, note
from dispatcher.client import Client
from dispatcher.client.answers import ChangeJson


@grouped
def tail(
    *,
    only: ChangeConditions,
    limit: Annotated[int | None, typer.Option(min=1, help="End after this many changes.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
    plain: Annotated[bool, typer.Option(help="Print lines in a terminal as well.")] = False,
    connection: Connection,
) -> None:
    """Follow status changes from now on. All given conditions must hold.

    In a terminal on the whole screen: j and k move, d shows details, r sends a failed event again, / filters, q quits.

    Example: dispatcher tail --status dead --integration Acme
    """
    access = connection.access()
    wanted = only.query()
    console = Console()
    if has_keys() and not (plain or as_json or limit or console.is_dumb_terminal):
        with_api(access, lambda client: FullScreen(client, wanted, console).run())
        return
    show = _show_json if as_json else _show_line
    with_api(access, lambda client: _follow(client, wanted, limit, show))


async def _follow(
    client: Client, wanted: Mapping[str, str], limit: int | None, show: Callable[[ChangeJson], None]
) -> None:
    shown = 0
    async for change in client.changes(wanted, note):
        show(change)
        shown += 1
        if shown == limit:
            return


def _show_json(change: ChangeJson) -> None:
    typer.echo(orjson.dumps(change).decode())


def _show_line(change: ChangeJson) -> None:
    status = typer.style(f"{change['status']:<15}", fg=COLOURS.get(change["status"]))
    tried = f"attempt {change['attempts']}" if change["attempts"] else ""
    answer = str(change["httpStatus"] or "")
    text = f"{change['at'][11:23]}  {status}  {change['type']:<19}  {change['eventId']}  {cell(change['accountId'])}"
    typer.echo(f"{text}  {tried} {answer}".rstrip())
