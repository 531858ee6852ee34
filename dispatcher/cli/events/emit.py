"""``dispatcher emit``: accepts one event through the API, with a sample payload unless another is given."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from dispatcher.cli.api_access import Access, AsJson, Connection, with_api
from dispatcher.cli.terminal.option_groups import grouped
from dispatcher.cli.terminal.options import require_name
from dispatcher.cli.terminal.output import note, print_json
from dispatcher.cli.terminal.typed_json import payload_from
from dispatcher.cli.terminal.words import times
from dispatcher.client import Client
from dispatcher.client.answers import EventJson
from dispatcher.client.client import MAX_WAIT_S
from dispatcher.errors import ConfigurationError
from dispatcher.model.event_type import TYPE_RULES, EventType, emittable_names, parse_event_type
from dispatcher.model.status import Status

WAIT_S = 60.0


@dataclass(frozen=True, slots=True)
class About:
    """Options that say what the event is about."""

    product: Annotated[str, typer.Option(help="Product; must be linked to an integration.")]
    account: Annotated[str | None, typer.Option(help="Account; its events keep their order.")] = None
    subscription: Annotated[str | None, typer.Option(help="Subscription id.")] = None
    flag: Annotated[str | None, typer.Option(help="DEVELOPMENT uses the integration's WORKING version.")] = None


@grouped
def emit(
    *,
    kind: Annotated[str, typer.Argument(metavar="TYPE", help="create, upgrade, cancel, notify, assign, … or in full.")],
    about: About,
    data: Annotated[list[str] | None, typer.Option(metavar="PATH=VALUE", help="Set a field of the payload.")] = None,
    payload_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="JSON payload in place of the sample; - = standard input.")
    ] = None,
    key: Annotated[str | None, typer.Option(help="Idempotency key: the same one makes one event.")] = None,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait up to a minute for it to end; status 1 if it fails.")
    ] = False,
    as_json: AsJson = False,
    connection: Connection,
) -> None:
    """Emit one event. Values of --data are JSON where they can be read as JSON, else text.

    Example: dispatcher emit cancel --product shop --account acme --wait
    """
    type_ = emittable(kind)
    for option, name in (("--product", about.product), ("--account", about.account)):
        require_name(option, name)
    event: dict[str, Any] = {
        "type": type_.value,
        "productId": about.product,
        "accountId": about.account,
        "subscriptionId": about.subscription,
        "flag": about.flag,
        "payload": payload_from(type_, payload_file, data or ()),
    }
    access = connection.access()
    if wait:
        _show_end(_emitted_and_ended(access, event, key), as_json=as_json)
        return
    accepted = with_api(access, lambda client: client.emit(event, key))
    if as_json:
        print_json(accepted)
    else:
        typer.echo(f"{accepted['id']} accepted")
        note(f"`dispatcher explain {accepted['id']}` tells where it is")


def emittable(name: str) -> EventType:
    """The type, in whatever case it was typed. Raises ConfigurationError, which names those that there are."""
    kind = parse_event_type(name)
    if kind is None or not TYPE_RULES[kind].emitted_by_callers:
        raise ConfigurationError(f"{name} cannot be emitted; use one of {', '.join(emittable_names())}")
    return kind


def _emitted_and_ended(access: Access, event: dict[str, Any], key: str | None) -> EventJson:
    async def work(client: Client) -> EventJson:
        event_id = (await client.emit(event, key))["id"]
        deadline_s = time.monotonic() + WAIT_S
        while True:
            left_s = deadline_s - time.monotonic()
            found = await client.event(event_id, wait_s=max(0, min(MAX_WAIT_S, round(left_s))))
            if found["consumed"] or left_s <= 0:
                return found

    return with_api(access, work)


def _show_end(event: EventJson, *, as_json: bool) -> None:
    if as_json:
        print_json(event)
    else:
        typer.echo(f"{event['id']} {event['status']} after {times(event['attempts'], 'attempt')}")
    if event["successful"]:
        return
    if event["status"] == Status.SKIPPED:
        if not as_json:
            note(f"nothing was to be sent; `dispatcher explain {event['id']}` says why")
        return
    if not as_json:
        error = event["error"]
        why = f"{error['code']} {error['message'] or ''}".strip() if error else "it has not ended yet"
        note(f"{why}; `dispatcher explain {event['id']}` tells more")
    raise typer.Exit(1)
