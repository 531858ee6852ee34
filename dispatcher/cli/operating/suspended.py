"""``dispatcher suspended``: URLs that answered 410 Gone, and sending to them again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

import typer

from dispatcher.cli.api_access import AsJson, Connection, with_api
from dispatcher.cli.named_integration import integration_id, names
from dispatcher.cli.terminal.option_groups import grouped
from dispatcher.cli.terminal.output import note, print_listing
from dispatcher.cli.terminal.words import times
from dispatcher.client import Client

COLUMNS = {
    "name": "INTEGRATION",
    "eventType": "TYPE",
    "url": "URL",
    "since": "SINCE",
    "published": "PUBLISHED",
    "released": "SENT AGAIN",
}
_LOOK = """query ($cursor: String) { productIntegrationPage(cursor: $cursor) {
  nodes { id suspendedUrls { url } } nextCursor } }"""


@grouped
def suspended(
    *,
    any_id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="Integration: id or name; without it all of them.")
    ] = None,
    enable: Annotated[bool, typer.Option("--enable", help="Send to them again; what was parked goes on.")] = False,
    as_json: AsJson = False,
    connection: Connection,
) -> None:
    """Show URLs that answered 410 Gone. Exit status 1 while there are any that were not enabled.

    Example: dispatcher suspended Acme --enable
    """
    found = with_api(connection.access(), lambda client: _found(client, any_id, enable=enable))
    columns = COLUMNS if enable else {field: name for field, name in COLUMNS.items() if field != "released"}
    if found or as_json:
        print_listing(found, columns, as_json=as_json)
    left = [one for one in found if one["released"] is None]
    if not found:
        note("no URL is suspended")
    elif enable and left:
        note(f"no type goes to {times(len(left), 'URL')} any more: `dispatcher resume ID` sends what was parked")
    if left:
        raise typer.Exit(1)


async def _found(client: Client, any_id: str | None, *, enable: bool) -> list[dict[str, Any]]:
    ids = [await integration_id(client, any_id)] if any_id else [one async for one in _troubled(client)]
    called = await names(client, set(ids))
    rows: list[dict[str, Any]] = []
    for one in ids:
        urls = await client.lanes.suspended_urls(one)
        rows += [{"integrationId": one, "name": called[one], **url, "released": None} for url in urls]
    if enable:
        for row in rows:
            if row["eventType"]:
                row["released"] = (await client.lanes.enable_url(row["integrationId"], row["eventType"]))["released"]
    return rows


async def _troubled(client: Client) -> AsyncIterator[str]:
    """Integrations with a URL that is suspended."""
    cursor: str | None = None
    while True:
        page = (await client.graphql(_LOOK, {"cursor": cursor}))["productIntegrationPage"]
        for one in page["nodes"]:
            if one["suspendedUrls"]:
                yield str(one["id"])
        cursor = page["nextCursor"]
        if cursor is None:
            return
