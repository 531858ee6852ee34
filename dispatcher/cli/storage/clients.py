"""``dispatcher clients``: API clients of marketplace backends and operators. Shows a secret once, when it is made."""

from __future__ import annotations

import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NoReturn

import orjson
import typer

from dispatcher.api.rest.operating.client_json import client_json
from dispatcher.cli.api_access import of_running
from dispatcher.cli.beginning import load_settings, run
from dispatcher.cli.local.local_secrets import admin_credentials
from dispatcher.cli.processes.startup import open_store, place
from dispatcher.cli.storage.operator import audit_log_of, operator
from dispatcher.cli.terminal.options import VerbCommand, require_name
from dispatcher.cli.terminal.output import note, print_json, print_listing
from dispatcher.clock import iso_ms
from dispatcher.errors import ConfigurationError
from dispatcher.flow.access.clients import require_marketplaces
from dispatcher.model.access import ADMIN_SCOPES, ApiClient, Scope
from dispatcher.model.roles import ROLES, Role, problem_with
from dispatcher.policy.secrets.assertion_key import KeyUnreadable
from dispatcher.policy.secrets.client_key import kept_key
from dispatcher.policy.secrets.private_keys import MAX_KEY_CHARS
from dispatcher.store.access.clients import ClientStore
from dispatcher.store.audit_log.log import Noting
from dispatcher.store.installations.parties.marketplaces import MarketplaceStore

COLUMNS = {
    "clientId": "CLIENT",
    "name": "NAME",
    "scopes": "SCOPES",
    "accountId": "ACCOUNT",
    "vendorId": "VENDOR",
    "createdOn": "CREATED",
    "disabled": "DISABLED",
}


clients = typer.Typer(no_args_is_help=True)

_PublicKey = Annotated[
    Path | None,
    typer.Option(help="File with its public key, PEM or JWK: it signs assertions (private_key_jwt) and has no secret."),
]


@clients.command("create", cls=VerbCommand)
def create(
    scope: Annotated[list[str] | None, typer.Option(help="What it may do; give the option once for each.")] = None,
    role: Annotated[Role | None, typer.Option(help="Scopes by the kind of client, beside --scope.")] = None,
    name: Annotated[str, typer.Option(help="Whose it is, for people.")] = "",
    account: Annotated[str | None, typer.Option(help="Bind it to this account.")] = None,
    vendor: Annotated[str | None, typer.Option(help="Bind it to this vendor.")] = None,
    rate: Annotated[float | None, typer.Option(min=0, help="Requests per second; 0 = any number.")] = None,
    marketplace: Annotated[
        list[int] | None, typer.Option(min=1, help="Bind it to this marketplace; give the option once for each.")
    ] = None,
    public_key: _PublicKey = None,
) -> None:
    """Make a client and print its id and secret, which is shown only now; with a public key it has no secret.

    Example: dispatcher clients create --scope events:write --name shop
    """
    for option, text in (("--account", account), ("--vendor", vendor), ("--name", name or None)):
        require_name(option, text)
    bound = Restriction(account, vendor, tuple(marketplace) if marketplace else None)
    scopes = scopes_of_role(role, bound) | (known_scopes(scope or []) if scope or not role else frozenset())
    key = _key_in(public_key)
    _print_made(run(_create(scopes, name, bound, rate, key)), key)


@clients.command("rotate", cls=VerbCommand)
def rotate(
    client_id: Annotated[str, typer.Argument(metavar="ID")],
    public_key: _PublicKey = None,
) -> None:
    """Give a client a new secret, or a public key, in place of the one it had; tokens of that one end in seconds.

    Example: dispatcher clients rotate client-1f0d9e3b --public-key shop.pub.pem
    """
    key = _key_in(public_key)
    secret = run(_rotate(client_id, key))
    if secret is None:
        _no_such_client(client_id)
    _print_made({"clientId": client_id, "clientSecret": secret}, key)
    _warn_of_settings(client_id)


@clients.command("list", cls=VerbCommand)
def list_clients(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Show every client, oldest first.

    Example: dispatcher clients list --json
    """
    rows = [client_json(client) for client in run(_all())]
    print_listing(rows, COLUMNS, as_json=as_json, styles={"yes": "red"}, readable={"createdOn": iso_ms})


@clients.command("disable", cls=VerbCommand)
def disable(client_id: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """Let a client in no more.

    Example: dispatcher clients disable client-1f0d9e3b
    """
    if not run(_disable(client_id)):
        _no_such_client(client_id)
    typer.echo(f"{client_id} disabled")
    _warn_of_settings(client_id)


def _warn_of_settings(client_id: str) -> None:
    """Every start of an API makes the admin client what the settings say."""
    settings = of_running(load_settings())
    kept = admin_credentials(settings)
    if kept is None or kept[0] != client_id:
        return
    where = "DISPATCHER_ADMIN_CLIENT_SECRET" if settings.admin_client_id else str(settings.data_dir / "admin.json")
    note(f"this lasts until the next start, which gives {client_id} the secret of {where} again: change that as well")


def _no_such_client(client_id: str) -> NoReturn:
    note(f"no client {client_id!r}: see `dispatcher clients list`")
    raise typer.Exit(1)


def _key_in(path: Path | None) -> str | None:
    """The public key of that file, as a record keeps it. Raises ConfigurationError for anything else."""
    if path is None:
        return None
    try:
        with path.open("rb") as file:
            return kept_key(file.read(MAX_KEY_CHARS + 1).decode("utf-8", "replace"))
    except OSError as error:
        raise ConfigurationError(f"--public-key: {path}: {error.strerror}") from None
    except KeyUnreadable as error:
        raise ConfigurationError(f"--public-key: {error}") from None


def _print_made(made: dict[str, str], key: str | None) -> None:
    if key is not None:
        print_json({"clientId": made["clientId"], "publicKey": orjson.loads(key)})
        return
    print_json(made)
    if sys.stdout.isatty():
        note("keep the secret: it is not shown again")


def known_scopes(scopes: list[str]) -> frozenset[str]:
    """Raises ConfigurationError, which names the allowed ones, for any other; commas separate too."""
    given = {part for scope in scopes for part in scope.replace(",", " ").split()}
    allowed = ", ".join(scope for scope in Scope if scope in ADMIN_SCOPES)
    if unknown := sorted(given - ADMIN_SCOPES):
        raise ConfigurationError(f"unknown scope {unknown[0]}; allowed: {allowed}")
    if not given:
        raise ConfigurationError(f"give at least one --scope; allowed: {allowed}")
    return frozenset(given)


@dataclass(frozen=True, slots=True)
class Restriction:
    """Bounds of a client; None = not bound."""

    account: str | None = None
    vendor: str | None = None
    marketplaces: tuple[int, ...] | None = None


def scopes_of_role(role: Role | None, bound: Restriction) -> frozenset[str]:
    """Raises ConfigurationError for a role that no API client can have, or not without a restriction."""
    if role is None:
        return frozenset()
    problem = problem_with(role, account_id=bound.account, vendor_id=bound.vendor, marketplaces=bound.marketplaces)
    if problem:
        raise ConfigurationError(f"{problem} with --{ROLES[role].binding}" if ROLES[role].binding else problem)
    return frozenset(scope.value for scope in ROLES[role].scopes)


@dataclass(frozen=True, slots=True)
class _Stores:
    clients: ClientStore
    marketplaces: MarketplaceStore


@asynccontextmanager
async def _stores(action: str = "", *, existing: bool = True) -> AsyncIterator[_Stores]:
    """Changes are noted as ``action`` of whoever runs this program. ``existing``: as of ``open_store``."""
    settings = of_running(load_settings())
    async with open_store(settings, client_name="dispatcher-clients", existing=existing) as store:
        log = audit_log_of(settings, store.redis)
        clients = ClientStore(store.redis, Noting(log, operator(), action, int(time.time() * 1000)))
        yield _Stores(clients, MarketplaceStore(store.redis))
    note(f"in {place(settings)}")


async def _create(
    scopes: frozenset[str], name: str, bound: Restriction, rate: float | None, public_key: str | None
) -> dict[str, str]:
    async with _stores("createClient", existing=False) as stores:
        await require_marketplaces(bound.marketplaces or (), stores.marketplaces)
        now_ms = int(time.time() * 1000)
        client, secret = await stores.clients.create(
            scopes,
            name,
            bound.account,
            now_ms,
            vendor_id=bound.vendor,
            rate_per_s=rate,
            marketplaces=bound.marketplaces,
            public_key=public_key,
        )
    return {"clientId": client.client_id, "clientSecret": secret}


async def _all() -> list[ApiClient]:
    async with _stores() as stores:
        return await stores.clients.all()


async def _rotate(client_id: str, public_key: str | None) -> str | None:
    async with _stores("rotateClient") as stores:
        return await stores.clients.rotate(client_id, public_key=public_key)


async def _disable(client_id: str) -> bool:
    async with _stores("disableClient") as stores:
        return await stores.clients.disable(client_id)
