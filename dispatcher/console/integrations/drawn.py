"""Forms of an integration, drawn from the one table of its fields: what each row looks like, and what was typed in it.

Decides nothing: what a value may be is the table's own affair.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from dispatcher.console.integrations.forms import LONG
from dispatcher.flow.integrations.fields import values
from dispatcher.flow.integrations.fields.headers import Headers
from dispatcher.flow.integrations.fields.kind import Document
from dispatcher.flow.integrations.fields.records import Field as Row
from dispatcher.flow.integrations.fields.records import Record, Records
from dispatcher.flow.integrations.fields.table import INTEGRATION
from dispatcher.model.integration import Integration
from dispatcher.pages.fields import Field, Kind, Option

MAX_CODE_CHARS = 100_000


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Drawn:
    """One row of the table as a field of a form. ``path``: its names from the integration down."""

    path: tuple[str, ...]
    row: Row
    field: Field

    def read(self, text: str) -> Any:
        """The typed text, as the API takes it. Raises ``ValueError`` for what cannot be read."""
        text = text if self.field.kind is Kind.CODE else text.strip()
        if self.field.kind is Kind.CHECK:
            return text == "true"
        if not text.strip():
            return None
        return _READERS.get(type(self.row.kind), str)(text)


def drawn(integration: Integration, names: Sequence[str]) -> list[Drawn]:
    """The rows of these names as they stand."""
    shown = INTEGRATION.shown(integration)
    rows = {row.name: row for row in INTEGRATION.fields if row.given}
    return [one for name in names for one in _drawn((name,), rows[name], shown[name])]


def changes(fields: Sequence[Drawn], given: Mapping[str, str]) -> Document:
    """Fields that differ from what is there; a name that is left out stays. Raises ``ValueError`` with the name."""
    found: dict[str, Any] = {}
    for one in fields:
        text = given.get(one.field.name, "")
        if one.field.kind is Kind.SECRET:
            if text:
                _put(found, one.path, text)
        elif text.strip() != one.field.value.strip():
            _put(found, one.path, _read(one, text))
    return found


def beside(fields: Sequence[Drawn], wrong: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Problems by the fields of the form, and those that belong to none of them."""
    known = {one.field.name for one in fields}
    by_field: dict[str, str] = {}
    elsewhere: list[str] = []
    for name, text in wrong.items():
        parts = name.split(".")
        owner = next((".".join(parts[:n]) for n in range(len(parts), 0, -1) if ".".join(parts[:n]) in known), None)
        if owner is None:
            elsewhere.append(text)
        elif owner == name:
            by_field.setdefault(owner, text)
        else:
            by_field.setdefault(owner, f"{name.removeprefix(owner + '.')}: {text}")
    return by_field, elsewhere


def _drawn(path: tuple[str, ...], row: Row, shown: Any) -> Iterator[Drawn]:
    if isinstance(row.kind, Record):
        inner = shown or {}
        for one in row.kind.fields:
            if one.given:
                yield from _drawn((*path, one.name), one, inner.get(one.name))
    else:
        yield Drawn(path, row, _field(".".join(path), row, shown))


def _field(name: str, row: Row, shown: Any) -> Field:
    plain = Field(name, row.label, hint="; ".join(_hints(row)) or None)
    if isinstance(row.kind, values.Choice):
        options = tuple(Option(one, row.kind.meanings.get(one, one)) for one in row.kind.values)
        required = row.kind.cleared in row.kind.values
        return replace(plain, kind=Kind.CHOICE, value=shown or "", options=options, required=required)
    if isinstance(row.kind, values.Secret):
        return replace(plain, kind=Kind.SECRET, stored=bool(shown))
    look, words = _LOOKS.get(type(row.kind), (Kind.TEXT, _plain))
    required = isinstance(row.kind, values.Name) and row.kind.required
    return replace(plain, kind=Kind.CODE if name in LONG else look, value=words(shown), required=required)


def _hints(row: Row) -> Iterator[str]:
    if isinstance(row.kind, Records):
        yield f"JSON, as the API takes it: {', '.join(one.name for one in row.kind.fields)}"
    elif isinstance(row.kind, values.Condition):
        yield "JSON, as the API takes it"
    if row.hint:
        yield row.hint


def _plain(shown: Any) -> str:
    return shown or ""


def _ticked(shown: Any) -> str:
    return "true" if shown else ""


def _digits(shown: Any) -> str:
    return "" if shown is None else f"{shown:.15g}"


def _comma_separated(shown: Any) -> str:
    return ", ".join(_digits(one) for one in shown or ())


def _indented(shown: Any) -> str:
    return orjson.dumps(shown, option=orjson.OPT_INDENT_2).decode() if shown else ""


def _one_a_line(shown: Any) -> str:
    return "\n".join(shown or ())


def _read(one: Drawn, text: str) -> Any:
    try:
        return one.read(text)
    except ValueError:
        raise ValueError(one.field.name) from None


def _put(document: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    for name in path[:-1]:
        document = document.setdefault(name, {})
    document[path[-1]] = value


def _number(text: str) -> float | int:
    number = float(text.replace(",", "."))
    return int(number) if number.is_integer() else number


def _delays(text: str) -> list[float | int]:
    return [_number(part) for part in text.replace(";", ",").split(",") if part.strip()]


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _json(text: str) -> Any:
    if len(text) > MAX_CODE_CHARS:
        raise ValueError
    return orjson.loads(text)


_READERS: dict[type, Callable[[str], Any]] = {
    values.Number: _number,
    values.Delays: _delays,
    values.Texts: _lines,
    values.Condition: _json,
    Records: _json,
    Headers: _json,
}
_LOOKS: dict[type, tuple[Kind, Callable[[Any], str]]] = {
    values.Switch: (Kind.CHECK, _ticked),
    values.Number: (Kind.NUMBER, _digits),
    values.Delays: (Kind.TEXT, _comma_separated),
    values.Texts: (Kind.AREA, _one_a_line),
    values.Condition: (Kind.CODE, _indented),
    values.Url: (Kind.URL, _plain),
    Records: (Kind.CODE, _indented),
    Headers: (Kind.CODE, _indented),
}
"""Kinds of the table as fields of a form; any other is a text."""
