"""``dispatcher pause`` and ``dispatcher resume``: hold an integration's events back, and let them go on."""

from __future__ import annotations

from typing import Annotated

import typer

from dispatcher.cli.api_access import AsJson, Connection, with_api
from dispatcher.cli.named_integration import integration_id
from dispatcher.cli.terminal.option_groups import grouped
from dispatcher.cli.terminal.output import cell, note, print_json
from dispatcher.client import Client
from dispatcher.client.answers import LaneJson
from dispatcher.errors import ConfigurationError

AnyId = Annotated[str, typer.Argument(metavar="ID", help="Integration: UUID, appMarketId, connectorId or name.")]


@grouped
def pause(
    *,
    any_id: AnyId,
    reason: Annotated[str | None, typer.Option(help="Why, for whoever asks.")] = None,
    lasting: Annotated[str | None, typer.Option("--for", metavar="TIME", help="Such as 90s, 15m, 2h or 7d.")] = None,
    until: Annotated[str | None, typer.Option(metavar="TIME", help="An ISO 8601 time instead.")] = None,
    as_json: AsJson = False,
    connection: Connection,
) -> None:
    """Accept an integration's events and hold them. Once more changes reason and end.

    Example: dispatcher pause Acme --reason 'host is down' --for 2h
    """
    if lasting and until:
        raise ConfigurationError("give either --for or --until")

    async def work(client: Client) -> LaneJson:
        found = await integration_id(client, any_id)
        return await client.lanes.pause(found, reason=reason, lasting=lasting, until=until)

    lane = with_api(connection.access(), work)
    if as_json:
        print_json(lane)
        return
    ends = lane["pause"]["until"] if lane["pause"] else None
    typer.echo(f"{lane['integrationId']} paused {f'until {cell(ends)}' if ends else 'until somebody resumes it'}")
    note(f"`dispatcher resume {lane['integrationId']}` lets its events go on, in their order")


@grouped
def resume(*, any_id: AnyId, as_json: AsJson = False, connection: Connection) -> None:
    """Let an integration's events go on, in their order; URLs that are suspended are tried again.

    Example: dispatcher resume Acme
    """

    async def work(client: Client) -> LaneJson:
        return await client.lanes.resume(await integration_id(client, any_id))

    lane = with_api(connection.access(), work)
    if as_json:
        print_json(lane)
    else:
        typer.echo(f"{lane['integrationId']} resumed")
