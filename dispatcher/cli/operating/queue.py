"""``dispatcher queue``: how much waits, how long, and at which integrations. Changes nothing."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from dispatcher.cli.api_access import AsJson, Connection, with_api
from dispatcher.cli.terminal.option_groups import grouped
from dispatcher.cli.terminal.output import note, print_json, print_listing
from dispatcher.cli.terminal.words import age, times

COLUMNS = {
    "name": "INTEGRATION",
    "integrationId": "ID",
    "ready": "READY",
    "waiting": "WAITING",
    "scheduled": "SCHEDULED",
    "inFlight": "IN FLIGHT",
    "parked": "PARKED",
    "state": "STATE",
}
STYLES = {"paused": typer.colors.BLUE, "delivering": typer.colors.GREEN}


@grouped
def queue(
    *,
    lanes: Annotated[int, typer.Option(min=0, max=1000, help="How many integrations are listed.")] = 20,
    as_json: AsJson = False,
    connection: Connection,
) -> None:
    """Show what waits: ready = due now, waiting = behind another event of its account, scheduled = due later.

    Example: dispatcher queue --lanes 5
    """
    found = with_api(connection.access(), lambda client: client.queue(lanes))
    if as_json:
        print_json(found)
        return
    typer.echo(_headline(found))
    for held in found.get("pausedTypes", ()):
        note(
            f"{held['type']} is paused everywhere, and what is due of it counts as scheduled: "
            f"`dispatcher resume --type {held['type']}`"
        )
    if found["lanes"]:
        print_listing([lane | {"state": lane_state(lane)} for lane in found["lanes"]], COLUMNS, styles=STYLES)
    if not found["workers"]:
        note("no worker runs: `dispatcher worker` starts one")


def lane_state(lane: dict[str, Any]) -> str:
    """The reason that holds the lane back, the most deliberate one first."""
    if lane["paused"]:
        return "paused"
    if lane["circuitOpenUntil"]:
        return f"circuit open, next try {lane['circuitOpenUntil'][11:19]} UTC"
    if lane["credentials"]["state"] == "FAILING":
        return f"credentials failing since {lane['credentials']['since'][11:19]} UTC"
    if lane["slowedUntil"]:
        return f"slowed down until {lane['slowedUntil'][11:19]} UTC"
    if lane["suspendedUrls"]:
        return f"{times(len(lane['suspendedUrls']), 'URL')} suspended"
    return "delivering"


def _headline(found: dict[str, Any]) -> str:
    oldest_s = found["oldestReadySeconds"]
    parts = [
        f"{found['ready']} ready" + (f", the oldest for {age(oldest_s)}" if oldest_s else ""),
        f"{found['waiting']} waiting",
        f"{found['scheduled']} scheduled",
        f"{found['inFlight']} in flight",
        times(found["deadLetters"], "dead letter"),
    ]
    return "; ".join(parts)
