"""``dispatcher integrations``: define, publish and link integrations. Shows no secret but a new signing secret."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from dispatcher.cli.api_access import AsJson, Connection, with_api
from dispatcher.cli.named_integration import Named, integration_id, named
from dispatcher.cli.publishing import declaring
from dispatcher.cli.publishing.definition_input import document_from
from dispatcher.cli.terminal.option_groups import grouped
from dispatcher.cli.terminal.options import VerbCommand
from dispatcher.cli.terminal.output import cell, note, print_json, print_listing
from dispatcher.client import Client
from dispatcher.client.definitions import DefinitionJson
from dispatcher.errors import ConfigurationError

COLUMNS = {
    "id": "ID",
    "name": "NAME",
    "publishedRevision": "PUBLISHED",
    "linkedProducts": "PRODUCTS",
    "vendorId": "VENDOR",
    "lastModified": "MODIFIED",
}

T = TypeVar("T")

Id = Annotated[str, typer.Argument(metavar="ID", help="UUID, appMarketId, connectorId or name.")]
To = Annotated[str | None, typer.Option(metavar="URL", help="Where events of every type go.")]
File = Annotated[Path | None, typer.Option(metavar="FILE", help="Fields as a JSON object; - = standard input.")]
Fields = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="FIELD=VALUE", help="A field, nested ones with dots; @FILE reads the value."),
]

integrations = typer.Typer(no_args_is_help=True)


@integrations.command("list", cls=VerbCommand)
@grouped
def list_integrations(*, as_json: AsJson = False, connection: Connection) -> None:
    """Show every integration, oldest first.

    Example: dispatcher integrations list --json
    """
    found = with_api(connection.access(), _all)
    if found or as_json:
        print_listing(found, COLUMNS, as_json=as_json)
    if not found:
        note("no integrations yet: `dispatcher integrations create --name … --to https://…` makes one")


@integrations.command("show", cls=VerbCommand)
@grouped
def show(
    *,
    any_id: Id,
    version: Annotated[str, typer.Option(help="working or published.")] = "working",
    as_json: AsJson = False,
    connection: Connection,
) -> None:
    """Show the fields of one integration that are set.

    Example: dispatcher integrations show Acme --version published
    """
    definition = with_api(
        connection.access(), _of(any_id, lambda client, one: client.definitions.get(one, version.upper()))
    )
    if as_json:
        print_json(definition)
        return
    rows = [{"field": field, "value": value} for field, value in _set_fields(definition)]
    print_listing(rows, {"field": "FIELD", "value": "VALUE"})


@integrations.command("create", cls=VerbCommand)
@grouped
def create(
    *,
    name: Annotated[str, typer.Option(help="How it is listed.")],
    to: To = None,
    file: File = None,
    fields: Fields = None,
    as_json: AsJson = False,
    connection: Connection,
) -> None:
    """Define an integration; nothing is sent until it is published and a product is linked.

    Example: dispatcher integrations create --name Acme --to https://acme.example/hook
    """
    document = document_from(file, to, fields or ()) | {"name": name}
    made = with_api(connection.access(), lambda client: client.definitions.create(document))
    _warn(made["warnings"])
    if as_json:
        print_json(made)
        return
    typer.echo(f"{Named(made['definition']['id'], made['definition']['name'])} created")
    typer.echo(f"signing secret {made['signingSecret']}")
    note("keep the secret: it is not shown again")


@integrations.command("update", cls=VerbCommand)
@grouped
def update(
    *,
    any_id: Id,
    to: To = None,
    file: File = None,
    fields: Fields = None,
    unset: Annotated[list[str] | None, typer.Option(metavar="FIELD", help="Clear a field; repeat it.")] = None,
    as_json: AsJson = False,
    connection: Connection,
) -> None:
    """Change the working version; what is published stays until it is published again.

    Example: dispatcher integrations update Acme --set rateLimit=5 --unset cancelUrl
    """
    changes = document_from(file, to, fields or (), unset or ())
    if not changes:
        raise ConfigurationError("say what to change: --set FIELD=VALUE, --unset FIELD, --to or --file")
    saved = with_api(connection.access(), _of(any_id, lambda client, one: client.definitions.change(one, changes)))
    _warn(saved["warnings"])
    _say(Named(saved["definition"]["id"], saved["definition"]["name"]), "updated", saved, as_json=as_json)


@integrations.command("publish", cls=VerbCommand)
@grouped
def publish(*, any_id: Id, as_json: AsJson = False, connection: Connection) -> None:
    """Make the working version the one that new events use.

    Example: dispatcher integrations publish Acme
    """
    published = with_api(connection.access(), _of(any_id, lambda client, one: client.definitions.publish(one)))
    _say(
        Named(published["id"], published["name"]),
        f"published as revision {published['revision']}",
        published,
        as_json=as_json,
    )


@integrations.command("link", cls=VerbCommand)
@grouped
def link(
    *,
    any_id: Id,
    product: Annotated[str, typer.Argument(metavar="PRODUCT", help="Its events go to the integration.")],
    as_json: AsJson = False,
    connection: Connection,
) -> None:
    """Send a product's events to a published integration.

    Example: dispatcher integrations link Acme shop
    """
    one, linked = with_api(
        connection.access(), _naming(any_id, lambda client, one: client.definitions.link(one, product))
    )
    _warn(linked["warnings"])
    _say(one, f"hears of product {cell(product)}", linked, as_json=as_json)


@integrations.command("unlink", cls=VerbCommand)
@grouped
def unlink(
    *,
    any_id: Id,
    product: Annotated[str, typer.Argument(metavar="PRODUCT")],
    as_json: AsJson = False,
    connection: Connection,
) -> None:
    """Send no more of a product's events to an integration.

    Example: dispatcher integrations unlink Acme shop
    """
    one, done = with_api(
        connection.access(), _naming(any_id, lambda client, one: client.definitions.unlink(one, product))
    )
    _say(one, f"hears no more of product {cell(product)}", done, as_json=as_json)


@integrations.command("delete", cls=VerbCommand)
@grouped
def delete(*, any_id: Id, connection: Connection) -> None:
    """Delete an integration with its revisions; no product may be linked to it.

    Example: dispatcher integrations delete Acme
    """
    one, _ = with_api(connection.access(), _naming(any_id, lambda client, one: client.definitions.delete(one)))
    typer.echo(f"{one} deleted")


integrations.command("export", cls=VerbCommand)(declaring.export)
integrations.command("apply", cls=VerbCommand)(declaring.apply)


def _of(any_id: str, work: Callable[[Client, str], Awaitable[T]]) -> Callable[[Client], Awaitable[T]]:
    """``work`` with the integration that is meant."""

    async def with_id(client: Client) -> T:
        return await work(client, await integration_id(client, any_id))

    return with_id


def _naming(any_id: str, work: Callable[[Client, str], Awaitable[T]]) -> Callable[[Client], Awaitable[tuple[Named, T]]]:
    """``work`` with the integration that is meant, which it may end, and how to speak of that."""

    async def with_name(client: Client) -> tuple[Named, T]:
        one = await named(client, any_id)
        return one, await work(client, one.id)

    return with_name


async def _all(client: Client) -> list[DefinitionJson]:
    return [definition async for definition in client.definitions.all()]


def _set_fields(document: DefinitionJson, prefix: str = "") -> Iterable[tuple[str, object]]:
    """Those that hold something, by the paths that ``--set`` takes."""
    for name, value in document.items():
        path = f"{prefix}{name}"
        if isinstance(value, dict) and name != "filter":
            yield from _set_fields(value, f"{path}.")
        elif isinstance(value, list) and any(isinstance(one, dict) for one in value):
            for number, one in enumerate(value):
                yield from _set_fields(one, f"{path}.{number}.")
        elif value not in (None, [], ""):
            yield path, value


def _say(one: Named, done: str, answer: object, *, as_json: bool) -> None:
    if as_json:
        print_json(answer)
    else:
        typer.echo(f"{one} {done}")


def _warn(warnings: Iterable[str]) -> None:
    for text in warnings:
        note(f"warning: {text}")
