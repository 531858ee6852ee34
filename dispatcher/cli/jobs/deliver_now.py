"""``dispatcher deliver-now``: brings the next attempt of events that wait for one forward."""

from __future__ import annotations

from typing import Annotated

import typer

from dispatcher.cli.api_access import Connection
from dispatcher.cli.events.conditions import Conditions
from dispatcher.cli.jobs.bulk_job import DELIVER_NOW, Asked, Manner, carry_out
from dispatcher.cli.terminal.option_groups import grouped
from dispatcher.cli.terminal.output import note
from dispatcher.client import Client
from dispatcher.model.queue import Reason


@grouped
def deliver_now(
    *,
    event_ids: Annotated[list[str] | None, typer.Argument(metavar="[ID...]", help="Events that are RETRYING.")] = None,
    only: Conditions,
    manner: Manner,
    connection: Connection,
) -> None:
    """Bring the next attempt of events that are RETRYING forward; pauses, rates and open circuits still hold.

    Example: dispatcher deliver-now --where 'integration:Acme next>15m'
    """
    carry_out(connection, DELIVER_NOW, _deliver, Asked(event_ids or [], only, manner))


async def _deliver(client: Client, event_id: str) -> str:
    forwarded = await client.deliver_now(event_id)
    if not forwarded["consumed"] and forwarded["explanation"]["reason"] not in _ON_ITS_WAY:
        note(forwarded["explanation"]["text"])
    return forwarded["status"]


_ON_ITS_WAY = frozenset({Reason.READY, Reason.IN_FLIGHT})
