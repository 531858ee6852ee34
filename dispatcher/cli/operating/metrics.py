"""``dispatcher metrics``: what became of events and attempts over time, in numbers and bars. Changes nothing."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from dispatcher.cli.api_access import AsJson, Connection, with_api
from dispatcher.cli.events.conditions import since_moment
from dispatcher.cli.named_integration import integration_id
from dispatcher.cli.terminal.option_groups import grouped
from dispatcher.cli.terminal.output import cell, print_json, print_listing
from dispatcher.cli.terminal.sparklines import bars_of_output, sparkline
from dispatcher.cli.terminal.table import terminal_width
from dispatcher.client import Client

LABELS = {
    "accepted": "accepted",
    "delivered": "delivered",
    "failed": "failed",
    "attempts": "attempts",
    "failures": "failed attempts",
    "tokenFailures": "failed tokens",
    "latency": "latency",
    "attemptTime": "attempt time",
}
COLUMNS = {"integration": "INTEGRATION", "attempts": "ATTEMPTS", "failures": "FAILED", "p50": "P50", "p99": "P99"}
WIDTH_IN_PIPES = 120
LEAST_BARS = 10
RANKED = 10


@dataclass(frozen=True, slots=True)
class Picture:
    """Three answers of the API; ``integrations`` is None when one integration was asked for."""

    series: Mapping[str, Any]
    percentiles: Mapping[str, Any]
    integrations: Mapping[str, Any] | None

    def as_json(self) -> dict[str, Any]:
        found = {"series": self.series, "percentiles": self.percentiles}
        return found | ({} if self.integrations is None else {"integrations": self.integrations})


@grouped
def metrics(
    *,
    integration: Annotated[str | None, typer.Option(help="Integration: id or name; else the whole fleet.")] = None,
    since: Annotated[str, typer.Option(help="Since when: 90s, 15m, 1h, 2d or an ISO 8601 time.")] = "1h",
    step: Annotated[int | None, typer.Option(min=1, help="Seconds of a step; else the finest that is kept.")] = None,
    as_json: AsJson = False,
    connection: Connection,
) -> None:
    """Show events and attempts over time, latencies, and the integrations with most attempts.

    Example: dispatcher metrics --since 2h --integration 10527
    """
    window = {"from": since_moment(since, time.time())} | ({"step": str(step)} if step else {})
    picture = with_api(connection.access(), lambda client: _picture(client, window, integration))
    if as_json:
        print_json(picture.as_json())
        return
    for line in picture_lines(picture, terminal_width() or WIDTH_IN_PIPES, bars_of_output()):
        typer.echo(line)
    if picture.integrations and picture.integrations["data"]:
        typer.echo("")
        print_listing([_row(one) for one in picture.integrations["data"]], COLUMNS)


async def _picture(client: Client, window: dict[str, str], integration: str | None) -> Picture:
    of_one = window | ({"integrationId": await integration_id(client, integration)} if integration else {})
    series, percentiles = await client.figures("series", of_one), await client.figures("percentiles", of_one)
    if integration:
        return Picture(series, percentiles, None)
    since = {"from": window["from"], "limit": str(RANKED)}
    return Picture(series, percentiles, await client.figures("integrations", since))


def picture_lines(picture: Picture, width: int, bars: str) -> list[str]:
    """As many bars a line as ``width`` leaves room for; below ten none."""
    series = picture.series
    rows = [(metric, f"{n:,}", series["series"][metric]) for metric, n in series["totals"].items()]
    timed = picture.percentiles
    measured = [
        (measure, _percentiles(whole), timed["measures"][measure]["p99"]) for measure, whole in timed["totals"].items()
    ]
    heading = f"{series['from']} to {series['to']}, {_span(series['stepSeconds'])} a step"
    counts = _lines(rows, width, bars, sum)
    return [heading, "", *counts, "", *_lines(measured, width, bars, max)]


def _lines(rows: Sequence[tuple[str, str, Sequence[float | None]]], width: int, bars: str, merge: Any) -> list[str]:
    label, wide = max(map(len, LABELS.values())), max((len(text) for _, text, _ in rows), default=0)
    room = width - label - wide - 4
    lines = []
    for metric, text, values in rows:
        drawn = sparkline(values, room, merge, bars) if room >= LEAST_BARS else ""
        lines.append(f"{LABELS.get(metric, cell(metric)):<{label}}  {text:>{wide}}  {drawn}".rstrip())
    return lines


def _percentiles(whole: Mapping[str, Any]) -> str:
    return f"p50 {_seconds(whole['p50'])}, p99 {_seconds(whole['p99'])}"


def _seconds(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value * 1000:,.0f} ms" if value < 10 else f"{value:,.1f} s"


def _span(seconds: int) -> str:
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds % size == 0:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _row(one: Mapping[str, Any]) -> dict[str, object]:
    times = one["attemptTime"]
    return {
        "integration": one["name"] or one["integrationId"],
        "attempts": f"{one['attempts']:,}",
        "failures": f"{one['failures']:,}",
        "p50": _seconds(times["p50"]),
        "p99": _seconds(times["p99"]),
    }
