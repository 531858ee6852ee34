"""``dispatcher events``: lists events, newest first. Changes none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

from dispatcher.cli.api_access import AsJson, Connection, with_api
from dispatcher.cli.events.conditions import Conditions
from dispatcher.cli.events.lines import COLUMNS, print_columns, rows
from dispatcher.cli.terminal.option_groups import grouped
from dispatcher.cli.terminal.output import note, print_json
from dispatcher.client import Client
from dispatcher.client.answers import EventJson


@grouped
def events(
    *,
    only: Conditions,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 50,
    as_json: AsJson = False,
    connection: Connection,
) -> None:
    """Show events, newest first. All given conditions must hold.

    Example: dispatcher events --where 'status:retrying http:5xx' --limit 20
    """
    wanted = only.query()
    found = with_api(connection.access(), lambda client: _list(client, wanted, limit))
    if as_json:
        print_json(found)
        return
    if found:
        print_columns(rows(found), COLUMNS)
    note(_remark(len(found), limit, bool(wanted)))


async def _list(client: Client, wanted: Mapping[str, str], limit: int) -> list[EventJson]:
    return [event async for event in client.events(wanted, limit)]


def _remark(count: int, limit: int, filtered: bool) -> str:
    if not count:
        return "no event meets these conditions" if filtered else "no events yet: `dispatcher emit` makes one"
    return f"the newest {limit}; --limit shows more" if count == limit else f"{count} in all"
