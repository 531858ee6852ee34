"""``dispatcher dead-letters``: events that died, by cause and one by one, and all of them as a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from dispatcher.cli.api_access import AsJson, Connection, with_api
from dispatcher.cli.events.conditions import Conditions
from dispatcher.cli.events.lines import COLUMNS, print_columns, rows
from dispatcher.cli.named_integration import names
from dispatcher.cli.operating.new_file import new_file
from dispatcher.cli.terminal.option_groups import grouped
from dispatcher.cli.terminal.output import note, print_json, print_listing
from dispatcher.cli.terminal.words import times
from dispatcher.client import Client
from dispatcher.client.answers import EventJson
from dispatcher.clock import iso_ms
from dispatcher.errors import ConfigurationError

DEAD = "DEAD,EXPIRED"
CAUSE_COLUMNS = {
    "count": "EVENTS",
    "name": "INTEGRATION",
    "code": "ERROR",
    "message": "SAID",
    "newest": "LAST ACCEPTED",
}
LOOKED_AT = 1_000
"""Events whose causes are counted, the newest."""


@dataclass(frozen=True, slots=True)
class Letters:
    """``matched`` of all; ``seen`` the newest of them; ``called`` by integration."""

    matched: int
    exact: bool
    seen: list[EventJson]
    called: Mapping[str, str]


@grouped
def dead_letters(
    *,
    only: Conditions,
    limit: Annotated[int, typer.Option(min=0, help="How many events are listed.")] = 20,
    export: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write every one as a line of JSON; - = standard output.")
    ] = None,
    as_json: AsJson = False,
    connection: Connection,
) -> None:
    """Show events that are DEAD or EXPIRED, by cause, then the newest. Exit status 1 while there are any.

    Example: dispatcher dead-letters --since 2h --export dead.ndjson
    """
    wanted = {"status": DEAD} | only.query()
    if export is not None:
        if as_json:
            raise ConfigurationError("--export writes JSON already: leave out --json")
        _export(connection, wanted, export)
        return
    found = with_api(connection.access(), lambda client: _look(client, wanted))
    if as_json:
        print_json(_as_json(found, limit))
    else:
        _show(found, limit)
    if found.matched:
        raise typer.Exit(1)


async def _look(client: Client, wanted: Mapping[str, str]) -> Letters:
    count = await client.count(wanted)
    seen = [event async for event in client.events(wanted, LOOKED_AT)]
    called = await names(client, {event["integrationId"] for event in seen})
    return Letters(max(count["matched"], len(seen)), count["exact"], seen, called)


def causes(events: Sequence[EventJson], called: Mapping[str, str]) -> list[dict[str, Any]]:
    """Of one integration and one error each, the most frequent first; ``message`` is the newest's."""
    found: dict[tuple[str, str | None], dict[str, Any]] = {}
    for event in events:
        integration, error = event["integrationId"], event["error"]
        code = error["code"] if error else None
        first = {
            "count": 0,
            "integrationId": integration,
            "name": called.get(integration, integration),
            "code": code,
            "message": error["message"] if error else None,
            "newest": iso_ms(event["createdOn"]),
        }
        found.setdefault((integration, code), first)["count"] += 1
    return sorted(found.values(), key=lambda cause: -cause["count"])


def _as_json(found: Letters, limit: int) -> dict[str, Any]:
    return {
        "matched": found.matched,
        "exact": found.exact,
        "causes": causes(found.seen, found.called),
        "events": found.seen[:limit],
    }


def _show(found: Letters, limit: int) -> None:
    if not found.matched:
        note("no dead letters")
        return
    print_listing(causes(found.seen, found.called), CAUSE_COLUMNS)
    if limit:
        typer.echo("")
        print_columns(rows(found.seen[:limit]), COLUMNS)
    counted = f"causes of the newest {LOOKED_AT:,}; " if found.matched > len(found.seen) else ""
    note(f"{counted}{'' if found.exact else 'at least '}{times(found.matched, 'event')} in all")
    note("`dispatcher redeliver --where 'status:dead,expired' --dry-run` counts what would be sent again")


def _export(connection: Connection, wanted: Mapping[str, str], file: Path) -> None:
    access = connection.access()
    with new_file(file) as output:

        async def work(client: Client) -> int:
            written = 0
            async for event in client.events(wanted):
                output.write(orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE))
                written += 1
            return written

        written = with_api(access, work)
    note(f"{times(written, 'event')} written to {file}")
