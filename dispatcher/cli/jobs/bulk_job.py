"""One thing done to all that a filter finds, as a job of the API: a dry run, or the job followed to its end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import typer

from dispatcher.cli.api_access import Access, AsJson, Connection, with_api
from dispatcher.cli.events.conditions import Conditions
from dispatcher.cli.events.lines import COLOURS
from dispatcher.cli.jobs.each_event import Action, do_to_each
from dispatcher.cli.jobs.redelivery_progress import follow
from dispatcher.cli.named_integration import names
from dispatcher.cli.terminal.output import print_json, print_listing
from dispatcher.cli.terminal.words import age, times
from dispatcher.client import Client
from dispatcher.client.answers import RedeliveryJson, RedeliveryPreviewJson
from dispatcher.errors import ConfigurationError

DryRun = Annotated[bool, typer.Option("--dry-run", help="Only count what meets the conditions; do nothing.")]
Rate = Annotated[float | None, typer.Option(min=0.01, max=10_000, help="Events a second, to spare the host.")]


@dataclass(frozen=True, slots=True)
class Manner:
    """Options of a verb that acts on events: how it goes through them, and prints what came of it."""

    dry_run: DryRun = False
    rate: Rate = None
    as_json: AsJson = False


@dataclass(frozen=True, slots=True)
class ActionWords:
    """An action of bulk jobs, in words."""

    action: str
    done: str
    """``12 events sent again``."""
    doing: str
    nothing: str
    skipped: str


REDELIVER = ActionWords(
    "redeliver",
    "sent again",
    "sending again",
    "no failed event meets these conditions",
    "no longer failed when their turn came",
)
DELIVER_NOW = ActionWords(
    "deliver-now",
    "brought forward",
    "bringing forward",
    "no event that waits for another attempt meets these conditions",
    "waited no longer when their turn came",
)


@dataclass(frozen=True, slots=True)
class Asked:
    """Events by id or by conditions, and how they are gone through."""

    event_ids: list[str]
    only: Conditions
    manner: Manner

    def check(self) -> None:
        """Raises ConfigurationError for both ways at once, or neither."""
        wanted = self.only.query()
        if not self.event_ids and not wanted:
            raise ConfigurationError("name events by their ids, or give conditions such as --status dead --since 1h")
        if self.event_ids and wanted:
            raise ConfigurationError("give either ids or conditions, not both")
        if self.event_ids and self.manner.dry_run:
            raise ConfigurationError("--dry-run counts what meets conditions; leave out the ids")
        if self.event_ids and self.manner.rate is not None:
            raise ConfigurationError("--rate is the pace of a job over conditions; leave out the ids")


def carry_out(connection: Connection, words: ActionWords, one: Action, asked: Asked) -> None:
    """``one`` for each event that is named by its id, else a job over all that meet the conditions."""
    asked.check()
    access = connection.access()
    if asked.event_ids:
        do_to_each(access, asked.event_ids, one, as_json=asked.manner.as_json)
    else:
        _in_bulk(access, words, asked)


def _in_bulk(access: Access, words: ActionWords, asked: Asked) -> None:
    """Exit status 1 when the job did not end well, or an event of it was refused."""
    if asked.manner.dry_run:
        _preview(access, words, asked)
        return
    job = with_api(access, lambda client: _start_and_follow(client, words, asked))
    if asked.manner.as_json:
        print_json(job)
    elif job is not None:
        typer.echo(ending(job, words))
    if job is None:
        typer.echo(words.nothing, err=asked.manner.as_json)
    elif job["state"] != "DONE" or job["failed"]:
        raise typer.Exit(1)


def ending(job: RedeliveryJson, words: ActionWords) -> str:
    """The end of the job, in a line."""
    if not job["total"]:
        return words.nothing
    parts = [
        f"{job['done']} of {times(job['total'], 'event')} {words.done}",
        f"{job['skipped']} {words.skipped}" if job["skipped"] else "",
        f"{job['failed']} refused: `dispatcher redeliveries show {job['id']}`" if job["failed"] else "",
        "" if job["state"] == "DONE" else job["state"].lower(),
    ]
    return "; ".join(filter(None, parts))


async def _start_and_follow(client: Client, words: ActionWords, asked: Asked) -> RedeliveryJson | None:
    started = await client.jobs.start(asked.only.body(), words.action, asked.manner.rate)
    if started["id"] is None:
        return None
    return await follow(client, started["id"], words.doing)


def _preview(access: Access, words: ActionWords, asked: Asked) -> None:
    async def work(client: Client) -> tuple[RedeliveryPreviewJson, dict[str, str]]:
        seen = await client.jobs.preview(asked.only.body(), words.action, asked.manner.rate)
        if asked.manner.as_json:
            return seen, {}
        shares = await names(client, {one["integrationId"] for one in seen["byIntegration"][:20]})
        return seen, shares

    seen, called = with_api(access, work)
    if asked.manner.as_json:
        print_json(seen)
    else:
        _show_preview(seen, called, words)


def _show_preview(seen: RedeliveryPreviewJson, called: dict[str, str], words: ActionWords) -> None:
    typer.echo(f"{'' if seen['exact'] else 'at least '}{times(seen['matched'], 'event')} would be {words.done}")
    if not seen["matched"]:
        return
    by_status = [{"status": status, "matched": count} for status, count in seen["byStatus"].items()]
    print_listing(by_status, {"status": "STATUS", "matched": "EVENTS"}, styles=COLOURS)
    rows: list[dict[str, Any]] = [
        {**one, "name": called.get(one["integrationId"], one["integrationId"])} for one in seen["byIntegration"]
    ]
    print_listing(rows, {"name": "INTEGRATION", "matched": "EVENTS", "ratePerSecond": "PER SECOND"})
    if seen["seconds"] is not None:
        typer.echo(f"it would end in {age(seen['seconds'])}, at {(seen['endsAt'] or '')[:19]}Z")
