"""Integrations as files declare them: completed with every default, and compared with what there is. Pure.

A declared document says everything: a field that it leaves out has its default, unlike a change over the API.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dispatcher.flow.integrations.fields.headers import Headers
from dispatcher.flow.integrations.fields.kind import MASK, Document, Kind
from dispatcher.flow.integrations.fields.records import Field, Record, Records
from dispatcher.flow.integrations.fields.table import INTEGRATION
from dispatcher.flow.integrations.fields.values import Secret
from dispatcher.model.integration import Integration

GIVEN = "as given, if that is a new value"


@dataclass(frozen=True, slots=True)
class Difference:
    """One field by its path; a secret is never in clear, and whether a given one is new is not known here."""

    path: str
    before: Any
    after: Any
    secret: bool = False


def defaults() -> dict[str, Any]:
    """The document of an integration of which nothing was said."""
    blank: dict[str, Any] = INTEGRATION.shown(Integration("", 0, "", "", created_ms=0, modified_ms=0))
    return {row.name: blank[row.name] for row in INTEGRATION.fields if row.given}


def completed(document: Document) -> dict[str, Any]:
    """``document`` with the default of every field that it leaves out, down to entries of lists."""
    blank = defaults()
    return {row.name: _completed(row.kind, document.get(row.name), blank[row.name]) for row in _rows()}


def reduced(document: Document) -> dict[str, Any]:
    """Fields that differ from the defaults: completed again, it is the same."""
    blank = defaults()
    kept = {row.name: _reduced(row.kind, document.get(row.name), blank[row.name]) for row in _rows()}
    return {name: value for name, value in kept.items() if value is not None}


def differences(wanted: Document, shown: Document) -> list[Difference]:
    """Fields of a completed document that are not as they are shown. A masked secret is one that stays."""
    return [one for row in _rows() for one in _differences(row.kind, row.name, wanted[row.name], shown.get(row.name))]


def secrets_in(document: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Places of secrets that hold something: the path, the holder, and its key."""
    for row in _rows():
        value = document.get(row.name)
        if isinstance(row.kind, Headers):
            for entry in value or ():
                if entry.get("secret"):
                    yield f"headers.{entry.get('name')}", entry, "value"
        elif isinstance(row.kind, Record) and isinstance(value, dict):
            for inner in row.kind.fields:
                if isinstance(inner.kind, Secret) and value.get(inner.name):
                    yield f"{row.name}.{inner.name}", value, inner.name


def _rows() -> tuple[Field, ...]:
    return tuple(row for row in INTEGRATION.fields if row.given)


def _completed(kind: Kind, given: Any, default: Any) -> Any:
    match kind:
        case Records():
            entry = {row.name: row.kind.shown(row.kind.cleared) for row in kind.fields}
            return [entry | one for one in given or ()]
        case Record() if isinstance(given, dict):
            blank = default or {row.name: None for row in kind.fields}
            taken = {row.name for row in kind.fields if row.given}
            return {name: value for name, value in (blank | given).items() if name in taken | given.keys()}
        case _:
            return default if given is None else given


def _reduced(kind: Kind, value: Any, default: Any) -> Any:
    if value == default:
        return None
    match kind:
        case Records():
            blank = {row.name: row.kind.shown(row.kind.cleared) for row in kind.fields}
            return [{name: one[name] for name in one if one[name] != blank.get(name)} for one in value]
        case Record():
            known = default or {}
            taken = {row.name for row in kind.fields if row.given}
            return {name: one for name, one in value.items() if name in taken and one != known.get(name)}
        case _:
            return value


def _differences(kind: Kind, path: str, wanted: Any, shown: Any) -> Iterator[Difference]:
    if isinstance(kind, Record) and isinstance(wanted, dict):
        for row in kind.fields:
            if row.given:
                before = shown.get(row.name) if isinstance(shown, dict) else None
                yield from _differences(row.kind, f"{path}.{row.name}", wanted.get(row.name), before)
    elif isinstance(kind, Secret):
        if wanted not in (MASK, shown):
            yield Difference(path, shown, GIVEN if wanted else None, secret=bool(wanted and shown))
    elif isinstance(kind, Headers):
        before, after = _open(shown), _open(wanted)
        if before != after or any(one["secret"] and one["value"] not in (None, MASK) for one in wanted):
            yield Difference(path, before, after, secret=before == after)
    elif wanted != shown and not (wanted in (None, [], "") and shown in (None, [], "")):
        yield Difference(path, shown, wanted)


def _open(headers: Any) -> list[str]:
    return sorted(f"{one['name']}: {MASK if one['secret'] else one['value']}" for one in headers or ())
