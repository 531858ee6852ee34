"""``dispatcher resolve``: closes events by hand, so that nothing more is sent for them."""

from __future__ import annotations

from typing import Annotated

import typer

from dispatcher.cli.api_access import AsJson, Connection
from dispatcher.cli.jobs.each_event import do_to_each
from dispatcher.cli.terminal.option_groups import grouped
from dispatcher.client import Client


@grouped
def resolve(
    *,
    event_ids: Annotated[list[str], typer.Argument(metavar="ID...", help="Events that have not succeeded.")],
    as_json: AsJson = False,
    connection: Connection,
) -> None:
    """Close events: nothing more is sent, and what waits behind them goes on. Status 1 when one could not be.

    Example: dispatcher resolve 0195f1c2-7d3a-7000-8000-1c2d3e4f5a6b
    """
    do_to_each(connection.access(), event_ids, _resolve, as_json=as_json)


async def _resolve(client: Client, event_id: str) -> str:
    return (await client.resolve(event_id))["status"]
