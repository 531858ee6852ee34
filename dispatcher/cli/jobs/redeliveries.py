"""``dispatcher redeliveries``: bulk jobs, what became of each event of one, and ending one."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any

import typer

from dispatcher.cli.api_access import AsJson, Connection, with_api
from dispatcher.cli.terminal.option_groups import grouped
from dispatcher.cli.terminal.options import VerbCommand
from dispatcher.cli.terminal.output import note, print_json, print_listing
from dispatcher.cli.terminal.words import times
from dispatcher.client import Client
from dispatcher.client.answers import JobItemJson, RedeliveryJson

COLUMNS = {
    "id": "ID",
    "state": "STATE",
    "action": "ACTION",
    "progress": "DONE",
    "refused": "REFUSED",
    "rate": "RATE",
    "startedAt": "STARTED",
    "author": "BY",
    "asked": "FILTER",
}
ITEM_COLUMNS = {"eventId": "EVENT", "outcome": "OUTCOME", "code": "ERROR"}
STYLES = {"RUNNING": "yellow", "DONE": "green", "FAILED": "red", "SKIPPED": "yellow", "CANCELLED": "blue"}

JobId = Annotated[str, typer.Argument(metavar="ID", help="Of the job, as `redeliveries list` shows it.")]

redeliveries = typer.Typer(no_args_is_help=True)


@redeliveries.command("list", cls=VerbCommand)
@grouped
def list_jobs(
    *,
    limit: Annotated[int, typer.Option(min=1, help="How many at most.")] = 20,
    as_json: AsJson = False,
    connection: Connection,
) -> None:
    """Show the bulk jobs of the last seven days, newest first.

    Example: dispatcher redeliveries list --limit 5
    """

    async def work(client: Client) -> list[RedeliveryJson]:
        return [job async for job in client.jobs.all(limit)]

    found = with_api(connection.access(), work)
    if as_json:
        print_json(found)
    elif found:
        print_listing([_row(job) for job in found], COLUMNS, styles=STYLES)
    else:
        note("no jobs within a week: `dispatcher redeliver --where …` starts one")


@redeliveries.command("show", cls=VerbCommand)
@grouped
def show(
    *,
    job_id: JobId,
    items: Annotated[int, typer.Option(min=0, help="How many events are listed, those that were refused first.")] = 20,
    as_json: AsJson = False,
    connection: Connection,
) -> None:
    """Show how far a job is, and what became of its events. Status 1 when it failed or an event was refused.

    Example: dispatcher redeliveries show 5c1f0d9e-3b7a-4a51-9a55-0a6f8f1d2c3b --items 100
    """

    async def work(client: Client) -> tuple[RedeliveryJson, list[JobItemJson]]:
        return await client.jobs.get(job_id), [item async for item in client.jobs.items(job_id)]

    job, handled = with_api(connection.access(), work)
    if as_json:
        print_json({**job, "items": handled})
    else:
        _show(job, sorted(handled, key=lambda item: _MATTER[item["outcome"]])[:items], handled)
    if job["state"] == "FAILED" or job["failed"]:
        raise typer.Exit(1)


_MATTER = {"FAILED": 0, "SKIPPED": 1, "DONE": 2}


@redeliveries.command("cancel", cls=VerbCommand)
@grouped
def cancel(*, job_id: JobId, as_json: AsJson = False, connection: Connection) -> None:
    """End a job; what was done of it stays. One that has ended stays as it ended.

    Example: dispatcher redeliveries cancel 5c1f0d9e-3b7a-4a51-9a55-0a6f8f1d2c3b
    """
    job = with_api(connection.access(), lambda client: client.jobs.cancel(job_id))
    if as_json:
        print_json(job)
    else:
        typer.echo(f"{job['id']} {job['state'].lower()} after {job['done']} of {times(job['total'], 'event')}")


def _row(job: RedeliveryJson) -> dict[str, Any]:
    asked = job["filter"]
    given = asked["q"] if "q" in asked else " ".join(f"{name}:{_joined(value)}" for name, value in asked.items())
    return {
        **job,
        "progress": f"{job['done'] + job['skipped'] + job['failed']}/{job['total']}",
        "refused": job["failed"] or None,
        "startedAt": job["startedAt"][:19] + "Z",
        "asked": given or "every failed event",
    }


def _joined(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _show(job: RedeliveryJson, shown: list[JobItemJson], handled: list[JobItemJson]) -> None:
    row = _row(job)
    print_listing([{"field": heading, "value": row[field]} for field, heading in COLUMNS.items()], _FIELDS)
    if not shown:
        return
    typer.echo("")
    print_listing([dict(item) for item in shown], ITEM_COLUMNS, styles=STYLES)
    if len(shown) < len(handled):
        counted = Counter(item["outcome"].lower() for item in handled)
        note(f"{len(shown)} of {', '.join(f'{count} {name}' for name, count in sorted(counted.items()))}; see --items")


_FIELDS = {"field": "FIELD", "value": "VALUE"}
