"""``dispatcher expunge``: forgets the content of events that have ended. It cannot be undone."""

from __future__ import annotations

from typing import Annotated

import typer

from dispatcher.cli.api_access import AsJson, Connection
from dispatcher.cli.jobs.each_event import do_to_each
from dispatcher.cli.terminal.option_groups import grouped
from dispatcher.client import Client


@grouped
def expunge(
    *,
    event_ids: Annotated[list[str], typer.Argument(metavar="ID...", help="Events that have ended.")],
    as_json: AsJson = False,
    connection: Connection,
) -> None:
    """Forget payload, creator and what hosts answered; status, ids and attempts stay. It cannot be undone.

    Example: dispatcher expunge 0195f1c2-7d3a-7000-8000-1c2d3e4f5a6b
    """
    do_to_each(connection.access(), event_ids, _expunge, as_json=as_json)


async def _expunge(client: Client, event_id: str) -> str:
    await client.expunge(event_id)
    return "expunged"
