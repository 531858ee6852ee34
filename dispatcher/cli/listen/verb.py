"""The verb ``listen``: sets the tap up, shows each notification with its answer, and takes keys on a terminal."""

from __future__ import annotations

import asyncio
import shlex
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated

import aiohttp
import orjson
import typer

from dispatcher.cli.api_access import Connection, with_api
from dispatcher.cli.beginning import load_settings
from dispatcher.cli.listen.answers import Answer, difference, line
from dispatcher.cli.listen.keys import keys
from dispatcher.cli.listen.local_host import LocalHost
from dispatcher.cli.listen.rendering import Rendered
from dispatcher.cli.listen.tap import Show, Tap
from dispatcher.cli.listen.tap_file import TapFile, TapNote
from dispatcher.cli.listen.trial import curl, trial
from dispatcher.cli.named_integration import integration_id
from dispatcher.cli.processes.startup import stop_on_signals
from dispatcher.cli.temporary_integration import temporary_integration
from dispatcher.cli.terminal.option_groups import grouped
from dispatcher.cli.terminal.output import cell, note
from dispatcher.client import Client
from dispatcher.errors import ConfigurationError
from dispatcher.model.event_type import URL_FIELDS
from dispatcher.policy.notification.signing import parse_secret

NOWHERE = "https://listen.invalid/notifications"
"""A name that never resolves (RFC 6761): an integration that is made for listening sends nothing."""
REASON = "held for `dispatcher listen`"
MOST_NAMED = 10
"""Integrations in an error."""


@dataclass(frozen=True, slots=True)
class Tapped:
    """Options that say what is listened to."""

    integration: Annotated[
        str | None,
        typer.Option(help="Integration: id or name; its host is sent to as ever. Else the only one there is."),
    ] = None
    product: Annotated[
        str | None, typer.Option(help="A product that leads nowhere yet, in place of --integration.")
    ] = None


@grouped
def listen(
    *,
    to: Annotated[str, typer.Option("--to", metavar="URL", help="Where each notification is POSTed, such as yours.")],
    tapped: Tapped,
    secret: Annotated[str | None, typer.Option(help="whsec_… to sign with, in place of the tap's own.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="End after this many.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
    connection: Connection,
) -> None:
    """Send real notifications to a developer's machine, signed for it, and show what it answers.

    Example: dispatcher listen --to http://localhost:3000/hook
    """
    if not to.startswith(("http://", "https://")):
        raise ConfigurationError(f"--to {to} is no URL: it begins with http:// or https://")
    if tapped.integration is not None and tapped.product is not None:
        raise ConfigurationError("give --integration, or --product for an integration that lasts as long as you listen")
    show, access = _show_json if as_json else _show_line, connection.access()
    if tapped.integration is None and tapped.product is None:
        tapped = Tapped(integration=with_api(access, _only_one))
    with_api(access, lambda client: _listen(client, to, tapped, secret, limit, show))


async def _listen(client: Client, to: str, tapped: Tapped, secret: str | None, limit: int | None, show: Show) -> None:
    with stop_on_signals() as stop:
        async with _integration(client, tapped) as found, aiohttp.ClientSession() as session:
            file = TapFile(load_settings().data_dir, found)
            tap_note = file.read(secret)
            _introduce(to, tap_note)
            host = LocalHost(session, to, parse_secret(tap_note.secret), note)
            tap = Tap(client, found, host, tap_note, file, note)
            await _until_stopped(tap, show, limit, stop)
            if tapped.product is not None:
                file.forget()


@asynccontextmanager
async def _integration(client: Client, tapped: Tapped) -> AsyncIterator[str]:
    if tapped.product is not None:
        name, urls = f"listen: {tapped.product}", dict.fromkeys(URL_FIELDS, NOWHERE)
        async with temporary_integration(client, tapped.product, name, urls, held=REASON) as made:
            yield made
        return
    assert tapped.integration is not None
    given = await integration_id(client, tapped.integration)
    yield str((await client.definitions.get(given))["id"])


async def _only_one(client: Client) -> str:
    """The one integration within this client's reach. Raises ConfigurationError, which names the first of several."""
    found = [one async for one in client.definitions.all()]
    if len(found) == 1:
        note(f"listening to {cell(found[0]['name'])}, the only integration that there is for this client")
        return str(found[0]["id"])
    if not found:
        raise ConfigurationError("there is no integration to listen to: give --product, for one as long as you listen")
    named = ", ".join(cell(one["name"]) for one in found[:MOST_NAMED])
    more = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
    raise ConfigurationError(f"give --integration, or --product: there are {named}{more}")


async def _until_stopped(tap: Tap, show: Show, limit: int | None, stop: asyncio.Event) -> None:
    """Follows until a signal, ``limit``, or ``q``; an error of the API ends it too."""
    replays: set[asyncio.Task[None]] = set()

    def pressed(key: str) -> None:
        if key == "q":
            stop.set()
        elif key == "d":
            _show_difference(tap)
        elif key == "r":
            task = asyncio.create_task(_replay(tap, show))
            replays.add(task)
            task.add_done_callback(replays.discard)

    following = asyncio.create_task(tap.follow(show, limit))
    stopping, opening = asyncio.create_task(stop.wait()), asyncio.create_task(_say_when_open(tap))
    try:
        with keys(pressed) as some:
            if some:
                note("r sends the last one again, d compares the last two answers, q ends")
            await asyncio.wait({following, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if following.done():
            await following
    finally:
        for task in (following, stopping, opening, *replays):
            task.cancel()
        await asyncio.gather(following, stopping, opening, *replays, return_exceptions=True)


async def _say_when_open(tap: Tap) -> None:
    await tap.follower.opened.wait()
    note("listening: from here on nothing is missed")


async def _replay(tap: Tap, show: Show) -> None:
    if not await tap.replay(show):
        note("nothing was sent yet")


def _show_difference(tap: Tap) -> None:
    if len(tap.answers) < 2:
        note("there are no two answers yet")
        return
    for one in difference(*tap.answers):
        typer.secho(one, fg={"+": "green", "-": "red"}.get(one[:1]))


def _introduce(to: str, tap_note: TapNote) -> None:
    note(f"forwarding to {to}")
    note(f"  tap     {tap_note.tap_id}")
    note(f"  secret  {tap_note.secret}")
    headers = '--id "$WEBHOOK_ID" --timestamp "$WEBHOOK_TIMESTAMP" --signature "$WEBHOOK_SIGNATURE" --body-file body'
    note(f"  verify  dispatcher verify --secret {shlex.quote(tap_note.secret)} {headers}")
    note(f'  Python  dispatcher.receiver.Verifier("{tap_note.secret}").verify(headers, body)')
    now_s = int(time.time())
    note(f"  try it  {curl(trial(now_s), to, tap_note.secret, now_s)}")


def _show_line(one: Rendered, answer: Answer) -> None:
    at = time.strftime("%H:%M:%S")
    answered = typer.style(line(answer), fg="green" if answer.good else "red")
    typer.echo(f"{at}  {one.type:<19}  {one.event_id}  {cell(one.account_id)}  → {answered}")


def _show_json(one: Rendered, answer: Answer) -> None:
    document = {
        "eventId": one.event_id,
        "type": one.type,
        "accountId": one.account_id,
        "httpStatus": answer.status,
        "durationMs": round(answer.took_ms, 1),
        "responseBody": answer.body.decode("utf-8", "replace"),
    }
    typer.echo(orjson.dumps(document).decode())
