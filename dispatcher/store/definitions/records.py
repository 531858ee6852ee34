"""Definitions as JSON of their dataclasses, readable by older and newer versions.

A reader ignores fields that it does not know; a writer keeps them, so that two versions can share
a store during a rolling upgrade. Never touches Redis.
"""

from __future__ import annotations

import dataclasses
import typing
from functools import lru_cache
from typing import Any, TypeVar

import orjson
from pydantic import TypeAdapter, ValidationError

from dispatcher.errors import RecordDamaged
from dispatcher.model.integration import Integration, Product, Revision

T = TypeVar("T")


@lru_cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    """Made when it is needed first: a start has no time for it."""
    return TypeAdapter(kind)


class BrokenDefinition(RecordDamaged):
    """A record that some hand has edited into something else. Restore it from a backup."""


def read_integration(stored: bytes) -> Integration:
    return _read(Integration, stored)


def read_revision(stored: bytes) -> Revision:
    return _read(Revision, stored)


def read_product(stored: bytes) -> Product:
    return _read(Product, stored)


def _read(kind: type[T], stored: bytes) -> T:
    try:
        found: T = _adapter(kind).validate_json(stored)  # type: ignore[arg-type]
    except ValidationError as error:
        places = [".".join(str(part) for part in one["loc"]) or one["type"] for one in error.errors()[:5]]
        text = f"A stored definition cannot be read ({', '.join(places)}): restore it from a backup."
        raise BrokenDefinition(text) from None
    return found


def write_revision(revision: Revision, taken_from: bytes | None = None) -> bytes:
    """The record of ``revision``, with the unknown fields of the WORKING version in that integration's record."""
    working = orjson.loads(taken_from).get("working") if taken_from else None
    return orjson.dumps(_keeping(working, _adapter(Revision).dump_python(revision, mode="json"), Revision))


def write_product(product: Product, replaced: bytes | None = None) -> bytes:
    """The record of ``product``, with the unknown fields of the record that it replaces."""
    before = orjson.loads(replaced) if replaced else None
    return orjson.dumps(_keeping(before, _adapter(Product).dump_python(product, mode="json"), Product))


def write_integration(integration: Integration, replaced: bytes | None = None) -> bytes:
    """The record of ``integration``, with the unknown fields of the record that it replaces."""
    before = orjson.loads(replaced) if replaced else None
    return orjson.dumps(_keeping(before, _adapter(Integration).dump_python(integration, mode="json"), Integration))


def _keeping(before: Any, after: Any, kind: type) -> Any:
    """``after`` with what ``before`` has besides, in every record within it. Other values are replaced as they are."""
    if not isinstance(before, dict) or not isinstance(after, dict):
        return after
    merged = before | after
    for name, inner in _records(kind).items():
        if isinstance(after[name], list):
            merged[name] = _each_keeping(before.get(name), after[name], inner)
        else:
            merged[name] = _keeping(before.get(name), after[name], inner)
    return merged


def _each_keeping(before: Any, after: list[Any], kind: type) -> list[Any]:
    """The first field of a record in a list says which one it is."""
    identity = dataclasses.fields(kind)[0].name
    known = {str(one.get(identity)): one for one in before or () if isinstance(one, dict)}
    return [_keeping(known.get(str(one[identity])), one, kind) for one in after]


@lru_cache
def _records(kind: type) -> dict[str, type]:
    """Fields of a dataclass that are dataclasses themselves, optional ones and tuples of them included."""
    found = {}
    for name, hint in typing.get_type_hints(kind).items():
        for part in (hint, *typing.get_args(hint)):
            if dataclasses.is_dataclass(part) and isinstance(part, type):
                found[name] = part
    return found
