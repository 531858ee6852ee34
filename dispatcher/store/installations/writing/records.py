"""Records of this room: JSON of the dataclasses without their defaults, readable by older and newer versions.

A reader ignores fields that it does not know; a writer keeps them. Never touches Redis.
"""

from __future__ import annotations

import dataclasses
from functools import lru_cache
from typing import Any, TypeVar

import orjson
from pydantic import TypeAdapter, ValidationError

from dispatcher.store.definitions.records import BrokenDefinition

T = TypeVar("T")


def read(kind: type[T], stored: bytes) -> T:
    """Raises ``BrokenDefinition`` for what some hand has edited into something else."""
    reader: Any = kind
    try:
        value: T = _adapter(reader).validate_json(stored)
    except ValidationError as error:
        places = [".".join(str(part) for part in one["loc"]) or one["type"] for one in error.errors()[:5]]
        name = getattr(kind, "__name__", "index")
        text = f"A stored {name} cannot be read ({', '.join(places)}): restore it from a backup."
        raise BrokenDefinition(text) from None
    return value


def write(value: Any, replaced: bytes = b"") -> bytes:
    """The record of ``value``, with the unknown top-level fields of the record that it replaces.

    Byte for byte what it replaces where nothing has changed.
    """
    if not dataclasses.is_dataclass(value):
        return orjson.dumps(value)
    kind: Any = type(value)
    record = _adapter(kind).dump_python(value, mode="json", exclude_defaults=True)
    known = _names(kind)
    before = orjson.loads(replaced) if replaced else {}
    after = {name: one for name, one in before.items() if name not in known} | record
    return replaced if replaced and after == before else orjson.dumps(after)


@lru_cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


@lru_cache
def _names(kind: Any) -> frozenset[str]:
    return frozenset(field.name for field in dataclasses.fields(kind))
