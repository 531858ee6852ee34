"""Events in words and rows, for the verbs that show them. Never fetches any."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import typer

from dispatcher.cli.terminal.output import print_listing
from dispatcher.cli.terminal.words import age
from dispatcher.client.answers import EventJson

COLUMNS = {
    "id": "ID",
    "type": "TYPE",
    "status": "STATUS",
    "attempts": "ATTEMPTS",
    "age": "AGE",
    "accountId": "ACCOUNT",
    "code": "ERROR",
}
COLOURS = {
    "SUCCEEDED": typer.colors.GREEN,
    "RESOLVED": typer.colors.GREEN,
    "RETRYING": typer.colors.YELLOW,
    "AWAITING_RESULT": typer.colors.YELLOW,
    "HELD": typer.colors.BLUE,
    "DEAD": typer.colors.RED,
    "FAILED": typer.colors.RED,
    "EXPIRED": typer.colors.RED,
}
"""Of a status, wherever it is shown."""


def print_columns(rows: Sequence[Mapping[str, object]], columns: Mapping[str, str]) -> None:
    """A status in its colour."""
    print_listing(rows, columns, styles=COLOURS)


def rows(events: Sequence[EventJson], now_s: float | None = None) -> list[dict[str, object]]:
    """Events with the fields of ``COLUMNS`` added."""
    now_s = time.time() if now_s is None else now_s
    return [_row(event, now_s) for event in events]


def _row(event: EventJson, now_s: float) -> dict[str, object]:
    error = event["error"]
    return {
        **event,
        "age": age(now_s - event["createdOn"] / 1000),
        "code": error["code"] if error else None,
    }
