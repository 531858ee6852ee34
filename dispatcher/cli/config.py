"""``dispatcher config``: the settings reference, made from the class that reads them. Never shows a secret."""

from __future__ import annotations

from typing import Annotated

import typer

from dispatcher.cli.beginning import load_settings
from dispatcher.cli.environment import remarks
from dispatcher.cli.terminal.output import print_listing
from dispatcher.effective_settings import reference

COLUMNS = {"name": "VARIABLE", "value": "VALUE", "default": "DEFAULT", "bounds": "BOUNDS", "description": "DESCRIPTION"}


def config(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    new_key: Annotated[bool, typer.Option("--new-key", help="Print a fresh key for DISPATCHER_SECRET_KEYS.")] = False,
) -> None:
    """Show every setting with its variable, value, default and meaning.

    Example: dispatcher config --new-key
    """
    if new_key:
        from dispatcher.store.secrets.sealing import new_key as make_key

        typer.echo(make_key())
        return
    for remark in remarks():
        typer.echo(f"warning: {remark}", err=True)
    print_listing(reference(load_settings()), COLUMNS, as_json=as_json)
