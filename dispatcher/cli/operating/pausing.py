"""``dispatcher pause`` and ``dispatcher resume``: hold an integration's events back, and let them go on."""

from __future__ import annotations

from typing import Annotated

import typer

from dispatcher.cli.api_access import Access, AsJson, Connection, with_api
from dispatcher.cli.named_integration import Named, named
from dispatcher.cli.terminal.asking import Yes, agreed, somebody_watches
from dispatcher.cli.terminal.option_groups import grouped
from dispatcher.cli.terminal.output import cell, note, print_json
from dispatcher.cli.terminal.words import times
from dispatcher.client import Client
from dispatcher.client.answers import LaneJson, PausedLanesJson, PauseJson, TypePauseJson
from dispatcher.errors import ConfigurationError

AnyId = Annotated[
    str | None, typer.Argument(metavar="[ID]", help="Integration: UUID, appMarketId, connectorId or name.")
]
Everything = Annotated[bool, typer.Option("--all", help="Every integration, in place of ID.")]
OneType = Annotated[str | None, typer.Option("--type", metavar="TYPE", help="One event type everywhere instead.")]


@grouped
def pause(
    *,
    any_id: AnyId = None,
    everything: Everything = False,
    event_type: OneType = None,
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
    one = _one(any_id, event_type, everything=everything)
    if event_type is not None:
        said = with_api(
            connection.access(),
            lambda client: client.lanes.pause_type(event_type, reason=reason, lasting=lasting, until=until),
        )
        _show_type(said, as_json=as_json)
        return
    if one is None:
        held = with_api(
            connection.access(), lambda client: client.lanes.pause_all(reason=reason, lasting=lasting, until=until)
        )
        _show_all(held, as_json=as_json)
        return

    async def work(client: Client) -> tuple[Named, LaneJson]:
        found = await named(client, one)
        return found, await client.lanes.pause(found.id, reason=reason, lasting=lasting, until=until)

    found, lane = with_api(connection.access(), work)
    if as_json:
        print_json(lane)
        return
    typer.echo(f"{found} paused {_until(lane['pause'])}")
    note(f"`dispatcher resume {found.argument}` lets its events go on, in their order")


@grouped
def resume(
    *,
    any_id: AnyId = None,
    everything: Everything = False,
    event_type: OneType = None,
    yes: Yes = False,
    as_json: AsJson = False,
    connection: Connection,
) -> None:
    """Let an integration's events go on, in their order; URLs that are suspended are tried again.

    Example: dispatcher resume Acme
    """
    one = _one(any_id, event_type, everything=everything)
    if event_type is not None:
        _show_type(with_api(connection.access(), lambda client: client.lanes.resume_type(event_type)), as_json=as_json)
        return
    if one is None:
        _resume_all(connection.access(), yes=yes, as_json=as_json)
        return

    async def work(client: Client) -> tuple[Named, LaneJson]:
        found = await named(client, one)
        return found, await client.lanes.resume(found.id)

    found, lane = with_api(connection.access(), work)
    if as_json:
        print_json(lane)
    else:
        typer.echo(f"{found} resumed")


def _resume_all(access: Access, *, yes: bool, as_json: bool) -> None:
    """Asks first, once it is known how many integrations and events would go on."""
    if not (yes or as_json) and somebody_watches():
        held = with_api(access, lambda client: client.lanes.preview_resume_all())
        waiting = held["waiting"]
        many = f"{times(waiting, 'event')} {'waits' if waiting == 1 else 'wait'} there"
        if held["matched"] and not agreed(f"Resume {times(held['matched'], 'integration')}? {many}."):
            note("nothing was resumed")
            raise typer.Exit(1)
    resumed = with_api(access, lambda client: client.lanes.resume_all())
    if as_json:
        print_json({"resumed": resumed})
    else:
        typer.echo(f"{times(resumed, 'integration')} resumed")


def _one(any_id: str | None, event_type: str | None, *, everything: bool) -> str | None:
    """The integration that is meant; None = all, or a type. Raises ConfigurationError for none of them, or several."""
    if (any_id is not None) + (event_type is not None) + everything != 1:
        raise ConfigurationError("give one of: an integration, --type or --all")
    return any_id


def _show_type(said: TypePauseJson, *, as_json: bool) -> None:
    if as_json:
        print_json(said)
    elif said["paused"]:
        typer.echo(f"{said['type']} paused {_until(said['pause'])}")
        note(f"workers hold it within a second; `dispatcher resume --type {said['type']}` lets its events go on")
    else:
        typer.echo(f"{said['type']} resumed")


def _show_all(held: PausedLanesJson, *, as_json: bool) -> None:
    if as_json:
        print_json(held)
        return
    typer.echo(f"{times(held['paused'], 'integration')} paused {_until(held['pause'])}")
    note("`dispatcher resume --all` lets them go on; integrations that are made later are not paused")


def _until(pause: PauseJson | None) -> str:
    ends = pause["until"] if pause else None
    return f"until {cell(ends)}" if ends else "until somebody resumes it"
