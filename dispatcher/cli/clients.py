"""``dispatcher clients``: API clients of marketplace backends and operators. Shows a secret once, when it is made."""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import typer

from dispatcher.cli.output import note, print_json, print_listing
from dispatcher.cli.startup import load_settings, open_store, run
from dispatcher.clock import iso_ms
from dispatcher.errors import ConfigurationError
from dispatcher.model.access import ApiClient, Scope
from dispatcher.store.clients import ClientStore

COLUMNS = {
    "clientId": "CLIENT",
    "name": "NAME",
    "scopes": "SCOPES",
    "accountId": "ACCOUNT",
    "createdOn": "CREATED",
    "disabled": "DISABLED",
}

clients = typer.Typer(no_args_is_help=True)


@clients.command("create")
def create(
    scope: Annotated[list[str], typer.Option(help="What it may do; give the option once for each.")],
    name: Annotated[str, typer.Option(help="Whose it is, for people.")] = "",
    account: Annotated[str | None, typer.Option(help="Restrict every call to this account.")] = None,
) -> None:
    """Make a client and print its id and secret, which is shown only now."""
    scopes = known_scopes(scope)
    print_json(run(_create(scopes, name, account)))
    if sys.stdout.isatty():
        note("keep the secret: it is not shown again")


@clients.command("list")
def list_clients(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Show every client, oldest first."""
    print_listing([_row(client) for client in run(_all())], COLUMNS, as_json=as_json, styles={"yes": "red"})


@clients.command("disable")
def disable(client_id: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """Let a client in no more."""
    if not run(_disable(client_id)):
        note(f"no client {client_id!r}: see `dispatcher clients list`")
        raise typer.Exit(1)
    typer.echo(f"{client_id} disabled")


def known_scopes(scopes: list[str]) -> frozenset[str]:
    """Raises ConfigurationError, which names the allowed ones, for any other; commas separate too."""
    given = {part for scope in scopes for part in scope.replace(",", " ").split()}
    if unknown := sorted(given - set(Scope)):
        raise ConfigurationError(f"unknown scope {unknown[0]}; allowed: {', '.join(Scope)}")
    if not given:
        raise ConfigurationError(f"give at least one --scope; allowed: {', '.join(Scope)}")
    return frozenset(given)


@asynccontextmanager
async def _store() -> AsyncIterator[ClientStore]:
    async with open_store(load_settings(), client_name="dispatcher-clients") as store:
        yield ClientStore(store.redis)


async def _create(scopes: frozenset[str], name: str, account: str | None) -> dict[str, str]:
    async with _store() as store:
        client, secret = await store.create(scopes, name, account, int(time.time() * 1000))
    return {"clientId": client.client_id, "clientSecret": secret}


async def _all() -> list[ApiClient]:
    async with _store() as store:
        return await store.all()


async def _disable(client_id: str) -> bool:
    async with _store() as store:
        return await store.disable(client_id)


def _row(client: ApiClient) -> dict[str, object]:
    return {
        "clientId": client.client_id,
        "name": client.name,
        "scopes": sorted(client.scopes),
        "accountId": client.account_id,
        "createdOn": iso_ms(client.created_ms),
        "disabled": client.disabled,
    }
