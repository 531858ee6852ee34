"""``dispatcher explain``: why an event is where it is, in words, and every attempt so far. Changes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import typer

from dispatcher.cli.api_access import AsJson, Connection, with_api
from dispatcher.cli.events.event_id import whole_id
from dispatcher.cli.events.lines import COLOURS, print_columns
from dispatcher.cli.terminal.option_groups import grouped
from dispatcher.cli.terminal.output import cell, print_json
from dispatcher.client import Client
from dispatcher.client.answers import AttemptJson, EventJson, ExplanationJson
from dispatcher.clock import iso_ms
from dispatcher.model.status import FAILURES

ATTEMPT_COLUMNS = {
    "n": "ATTEMPT",
    "at": "STARTED",
    "outcome": "OUTCOME",
    "httpStatus": "ANSWER",
    "took": "TOOK",
    "why": "ERROR",
}


@dataclass(frozen=True, slots=True)
class Story:
    event: EventJson
    explanation: ExplanationJson
    attempts: list[AttemptJson]

    def as_json(self) -> dict[str, Any]:
        return {"event": self.event, "explanation": self.explanation, "attempts": self.attempts}


@grouped
def explain(
    *,
    event_id: Annotated[str, typer.Argument(metavar="ID", help="Event id, which is also its webhook-id.")],
    as_json: AsJson = False,
    connection: Connection,
) -> None:
    """Say where an event is, why, and what its attempts met. Exit status 1 when it has failed.

    Example: dispatcher explain 0195f1c2-7d3a-7000-8000-1c2d3e4f5a6b
    """
    asked = whole_id(event_id)
    story = with_api(connection.access(), lambda client: _story(client, asked))
    if as_json:
        print_json(story.as_json())
    else:
        _show(story)
    if story.event["status"] in FAILURES:
        raise typer.Exit(1)


async def _story(client: Client, event_id: str) -> Story:
    return Story(await client.event(event_id), await client.explain(event_id), await client.attempts(event_id))


def _show(story: Story) -> None:
    event = story.event
    typer.echo(f"{event['type']}  {typer.style(event['status'], fg=COLOURS.get(event['status']), bold=True)}")
    typer.echo(story.explanation["text"])
    typer.echo("")
    for name, value in _facts(event).items():
        typer.echo(f"  {name:<12} {cell(value)}")
    if story.attempts:
        typer.echo("")
        print_columns([_attempt_row(one) for one in story.attempts], ATTEMPT_COLUMNS)


def _facts(event: EventJson) -> dict[str, object]:
    facts: dict[str, object] = {
        "product": event["productId"],
        "account": event["accountId"],
        "integration": event["integrationId"],
        "revision": event["revision"] or "WORKING",
        "sequence": event["sequence"] or None,
        "accepted": iso_ms(event["createdOn"]),
        "next attempt": event["nextAttemptAt"],
    }
    return {name: value for name, value in facts.items() if value is not None}


def _attempt_row(attempt: AttemptJson) -> dict[str, object]:
    detail = attempt["errorDetail"] or attempt["responseBody"] if attempt["errorCode"] else None
    return {
        **attempt,
        "at": attempt["startedAt"][11:23],
        "took": f"{attempt['durationMs']:.1f} ms",
        "why": " ".join(filter(None, (attempt["errorCode"], detail))) or None,
    }
