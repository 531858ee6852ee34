"""``dispatcher config``: the settings reference, made from the class that reads them. Never shows a secret."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from dispatcher.cli.output import print_listing
from dispatcher.cli.startup import load_settings
from dispatcher.policy.redaction import MASK
from dispatcher.settings import Settings
from dispatcher.telemetry.masking import safe_text

COLUMNS = {"name": "VARIABLE", "value": "VALUE", "default": "DEFAULT", "description": "DESCRIPTION"}


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
    print_listing(reference(load_settings()), COLUMNS, as_json=as_json)


def reference(settings: Settings) -> list[dict[str, object]]:
    """One entry for each field of ``settings``, in the order of the class."""
    return [_entry(name, field, getattr(settings, name)) for name, field in type(settings).model_fields.items()]


def _entry(name: str, field: FieldInfo, value: object) -> dict[str, object]:
    return {
        "name": f"DISPATCHER_{name.upper()}",
        "default": shown(field.default),
        "description": field.description,
        "value": shown(value),
    }


def shown(value: object) -> object:
    """As it would be written in the environment, secrets masked; numbers, switches and None stay what they are."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, SecretStr):
        return MASK
    if isinstance(value, tuple):
        return ",".join(_part(item) for item in value)
    return str(value) if isinstance(value, Path) else safe_text(str(value))


def _part(item: object) -> str:
    return f"{item:g}" if isinstance(item, float) else str(shown(item))
