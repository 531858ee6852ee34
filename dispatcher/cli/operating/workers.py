"""``dispatcher workers``: who delivers. Exit status 1 when nobody does."""

from __future__ import annotations

import time
from datetime import datetime

import typer

from dispatcher.cli.api_access import AsJson, Connection, with_api
from dispatcher.cli.terminal.option_groups import grouped
from dispatcher.cli.terminal.output import note, print_listing
from dispatcher.cli.terminal.words import age

COLUMNS = {
    "workerId": "WORKER",
    "host": "HOST",
    "pid": "PID",
    "seen": "SEEN",
    "inFlight": "IN FLIGHT",
    "partitions": "PARTITIONS",
}


@grouped
def workers(*, as_json: AsJson = False, connection: Connection) -> None:
    """Show the workers, when each was last heard of, and the partitions that it delivers.

    Example: dispatcher workers --json
    """
    found = with_api(connection.access(), lambda client: client.queue(0))["workers"]
    now_s = time.time()
    rows = [worker | {"seen": f"{age(now_s - _epoch_s(worker['lastSeenAt']))} ago"} for worker in found]
    if found or as_json:
        print_listing(found if as_json else rows, COLUMNS, as_json=as_json)
    if not found:
        note("no worker runs: `dispatcher worker` starts one")
        raise typer.Exit(1)


def _epoch_s(iso: str) -> float:
    return datetime.fromisoformat(iso).timestamp()
