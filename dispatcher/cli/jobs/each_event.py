"""Does one thing to each of several events, and goes on when the API refuses one of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import typer

from dispatcher.cli.api_access import Access, refusal, with_api
from dispatcher.cli.terminal.output import print_json
from dispatcher.client import ApiError, Client

ABOUT_ONE_EVENT = frozenset({404, 409})
"""Any other refusal would meet the next event too, and ends the program."""


@dataclass(frozen=True, slots=True)
class Done:
    """``error`` None = it was done, and ``status`` is the event's status since."""

    event_id: str
    status: str | None
    error: str | None = None

    def as_json(self) -> dict[str, str | None]:
        return {"id": self.event_id, "status": self.status, "error": self.error}


Action = Callable[[Client, str], Awaitable[str]]
"""An event's id → its status afterwards."""


def do_to_each(access: Access, event_ids: Sequence[str], action: Action, *, as_json: bool) -> None:
    """Shows each result; exit status 1 when any was refused."""

    async def work(client: Client) -> list[Done]:
        return [await _do(access, client, event_id, action) for event_id in event_ids]

    results = with_api(access, work)
    if as_json:
        print_json([result.as_json() for result in results])
    else:
        for result in results:
            typer.echo(f"{result.event_id} {result.status or 'refused: ' + (result.error or '')}")
    if any(result.error for result in results):
        raise typer.Exit(1)


async def _do(access: Access, client: Client, event_id: str, action: Action) -> Done:
    try:
        return Done(event_id, await action(client, event_id))
    except ApiError as error:
        if error.status not in ABOUT_ONE_EVENT:
            raise
        return Done(event_id, None, " ".join(refusal(access, error)))
