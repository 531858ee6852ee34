"""``dispatcher redeliver``: sends failed events again, those that are named or all that meet conditions."""

from __future__ import annotations

from typing import Annotated

import typer

from dispatcher.cli.api_access import Connection
from dispatcher.cli.events.conditions import Conditions
from dispatcher.cli.jobs.bulk_job import REDELIVER, Asked, Manner, carry_out
from dispatcher.cli.terminal.option_groups import grouped
from dispatcher.client import Client


@grouped
def redeliver(
    *,
    event_ids: Annotated[list[str] | None, typer.Argument(metavar="[ID...]", help="Events that failed.")] = None,
    only: Conditions,
    manner: Manner,
    connection: Connection,
) -> None:
    """Send events that are DEAD, FAILED or EXPIRED again, to the URLs that are published now.

    Example: dispatcher redeliver --where 'status:dead since:2h' --rate 20 --dry-run
    """
    carry_out(connection, REDELIVER, _redeliver, Asked(event_ids or [], only, manner))


async def _redeliver(client: Client, event_id: str) -> str:
    return (await client.redeliver(event_id))["status"]
