"""JSON Schemas in the words of a table: what a field holds, in one cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Schema = Mapping[str, Any]

_BOUNDS = (("minLength", "maxLength", "characters"), ("minimum", "maximum", ""), ("minItems", "maxItems", "entries"))
_ANYTHING = "anything"


def table(first: str, rows: Sequence[Sequence[str]]) -> list[str]:
    """A table whose second column says what it holds and whose third explains. None without rows."""
    head = [f"| {first} | holds | |", "|---|---|---|"]
    return [*head, *(f"| {' | '.join(row)} |" for row in rows), ""] if rows else []


def field_rows(schema: Schema, prefix: str = "") -> list[list[str]]:
    """The fields of an object, and with a dotted name those of objects within: name, what it holds, description."""
    needed = set(schema.get("required", ()))
    rows = []
    for name, one in schema.get("properties", {}).items():
        demand = ", required" if name in needed else ""
        rows.append([f"`{prefix}{name}`", held(one) + demand, sentence(one.get("description"))])
        rows += field_rows(one if "properties" in one else one.get("items", {}), f"{prefix}{name}.")
    return rows


def held(schema: Schema) -> str:
    """``string, 1 to 255 characters, or null``; a form is named by a link to its section."""
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return _either([held(one) for one in schema["anyOf"]])
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return _either([f"`{one}`" if one is not None else "null" for one in schema["enum"]])
    kinds = schema.get("type", _ANYTHING)
    return _either([_of_kind(kind, schema) for kind in ([kinds] if isinstance(kinds, str) else kinds)])


def sentence(text: str | None) -> str:
    """One line that can stand in a table."""
    return " ".join((text or "").replace("``", "`").replace("|", "\\|").split())


def _either(words: Sequence[str]) -> str:
    """Each once, null at the end."""
    distinct = sorted(dict.fromkeys(words), key=lambda word: word == "null")
    return distinct[0] if len(distinct) == 1 else f"{', '.join(distinct[:-1])} or {distinct[-1]}"


def _of_kind(kind: str, schema: Schema) -> str:
    word = _list(schema) if kind == "array" else str(schema.get("format", kind)) if kind == "string" else kind
    bounds = _bounds(schema) if kind != "null" else ""
    return f"{word}, {bounds}" if bounds else word


def _list(schema: Schema) -> str:
    entry = held(schema.get("items", {}))
    return "list" if entry == _ANYTHING else f"list of {entry}"


def _bounds(schema: Schema) -> str:
    for low, high, unit in _BOUNDS:
        least, most = schema.get(low), schema.get(high)
        if most is not None:
            return f"{'at most' if least is None else f'{least} to'} {most} {unit}".strip()
        if least is not None:
            return f"at least {least} {unit}".strip()
    return ""
