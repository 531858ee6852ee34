"""``dispatcher redeliver``: sends failed events again, those that are named or all that meet conditions."""

from __future__ import annotations

from typing import Annotated

import typer

from dispatcher.cli.api_access import Access, AsJson, Connection, with_api
from dispatcher.cli.conditions import Conditions
from dispatcher.cli.each_event import do_to_each
from dispatcher.cli.event_lines import times
from dispatcher.cli.option_groups import grouped
from dispatcher.cli.output import print_json
from dispatcher.cli.redelivery_progress import follow
from dispatcher.client import Client
from dispatcher.client.answers import RedeliveryJson
from dispatcher.errors import ConfigurationError


@grouped
def redeliver(
    *,
    event_ids: Annotated[list[str] | None, typer.Argument(metavar="[ID...]", help="Events that failed.")] = None,
    only: Conditions,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how many events meet the conditions.")] = False,
    as_json: AsJson = False,
    connection: Connection,
) -> None:
    """Send events that are DEAD, FAILED or EXPIRED again, to the URLs that are published now."""
    _require_one_way(event_ids, only, dry_run=dry_run)
    access = connection.access()
    if event_ids:
        do_to_each(access, event_ids, _redeliver, as_json=as_json)
    elif dry_run:
        _count(access, only, as_json=as_json)
    else:
        _in_bulk(access, only, as_json=as_json)


def _require_one_way(event_ids: list[str] | None, only: Conditions, *, dry_run: bool) -> None:
    wanted = only.query()
    if not event_ids and not wanted:
        raise ConfigurationError("name events by their ids, or give conditions such as --status dead --since 1h")
    if event_ids and wanted:
        raise ConfigurationError("give either ids or conditions, not both")
    if event_ids and dry_run:
        raise ConfigurationError("--dry-run counts what meets conditions; leave out the ids")


async def _redeliver(client: Client, event_id: str) -> str:
    return (await client.redeliver(event_id))["status"]


def _count(access: Access, only: Conditions, *, as_json: bool) -> None:
    counted = with_api(access, lambda client: client.start_redelivery(only.body(), dry_run=True))
    if as_json:
        print_json(counted)
    else:
        typer.echo(f"{times(counted['matched'], 'event')} would be sent again")


def _in_bulk(access: Access, only: Conditions, *, as_json: bool) -> None:
    job = with_api(access, lambda client: _start_and_follow(client, only))
    if as_json:
        print_json(job)
    elif not job["total"]:
        typer.echo("no failed event meets these conditions")
    else:
        skipped = f"; {job['skipped']} no longer failed when their turn came" if job["skipped"] else ""
        typer.echo(f"{job['done']} of {times(job['total'], 'event')} sent again{skipped}")
    if job["state"] != "DONE":
        raise typer.Exit(1)


async def _start_and_follow(client: Client, only: Conditions) -> RedeliveryJson:
    started = await client.start_redelivery(only.body())
    return await follow(client, str(started["id"]))
