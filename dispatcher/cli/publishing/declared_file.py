"""Files of ``dispatcher integrations export`` and ``apply``: YAML, with secrets by name only.

A secret stands there as ``{secret: NAME}``: the environment variable that holds it. Where that is not set, what is
stored stays.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from dispatcher.cli.terminal.typed_json import raw_bytes
from dispatcher.errors import ConfigurationError
from dispatcher.flow.integrations.fields.kind import MASK

SECTIONS = ("integrations", "products", "marketplaces", "connectorTemplates")
MAX_BYTES = 8 * 2**20

Declared = dict[str, list[dict[str, Any]]]


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    """Refuses aliases, which make a small file large, and a key given twice."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("write every value out: aliases are not read")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = next((key for number, key in enumerate(keys) if key in keys[:number]), None)
        if twice is not None:
            raise yaml.YAMLError(f"{twice!r} is given twice (line {node.start_mark.line + 1})")
        return super().construct_mapping(node, deep)


def read_declared(file: Path) -> Declared:
    """Raises ConfigurationError, which says what is wrong and where."""
    raw = raw_bytes(file)
    if len(raw) > MAX_BYTES:
        raise ConfigurationError(f"{file} has more than {MAX_BYTES} bytes")
    try:
        loaded = yaml.load(raw, _Loader) or {}  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ConfigurationError(f"{file} is not the YAML that is read here: {error}") from error
    if not isinstance(loaded, dict) or (unknown := [name for name in loaded if name not in SECTIONS]):
        named = f": there is no {unknown[0]!r}" if isinstance(loaded, dict) else ""
        raise ConfigurationError(f"{file} holds {', '.join(SECTIONS)}{named}")
    for section in SECTIONS:
        entries = loaded.setdefault(section, []) or []
        if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
            raise ConfigurationError(f"{file}: {section} is a list of objects")
        loaded[section] = entries
    return loaded


def written(declared: Mapping[str, Any]) -> str:
    """``declared`` as YAML, empty sections left out."""
    kept = {section: entries for section, entries in declared.items() if entries}
    return yaml.safe_dump(kept, sort_keys=False, allow_unicode=True, width=100) if kept else ""


Places = Iterable[tuple[str, dict[str, Any], str]]
"""Secrets of one entry: the path, the holder, and its key there."""


def name_secrets(title: str, places: Places) -> None:
    """Put the name of a variable in the place of every secret."""
    for path, holder, key in list(places):
        holder[key] = {"secret": _variable(title, path)}


def fill_secrets(title: str, places: Places, *, known: bool) -> None:
    """Put in every secret's place what its variable holds, or a mask, which keeps what is stored.

    Raises ConfigurationError for a secret in clear, and for one that nothing is stored of.
    """
    for path, holder, key in list(places):
        given = holder[key]
        if not isinstance(given, dict) or set(given) != {"secret"} or not isinstance(given["secret"], str):
            text = f"{title}: {path} is a secret: write {{secret: NAME_OF_A_VARIABLE}} in the place of its value"
            raise ConfigurationError(text)
        value = os.environ.get(given["secret"])
        if not value and not known:
            raise ConfigurationError(f"{title}: set {given['secret']}, which holds its {path}")
        holder[key] = value or MASK


def secrets_of_template(entry: dict[str, Any]) -> Places:
    """The one of an OAuth application."""
    return [("clientSecret", entry, "clientSecret")] if entry.get("clientSecret") else []


def _variable(title: str, path: str) -> str:
    text = f"{title}_{path}".upper()
    return "_".join("".join(one if one.isascii() and one.isalnum() else " " for one in text).split())
