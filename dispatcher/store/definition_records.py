"""How definitions are written down: JSON of the dataclasses, readable by older and newer versions.

A reader ignores fields that it does not know; a writer keeps them, so that two versions can share
a store during a rolling upgrade. Never touches Redis.
"""

from __future__ import annotations

from typing import Any, TypeVar

import orjson
from pydantic import TypeAdapter, ValidationError

from dispatcher.errors import DispatcherError
from dispatcher.model.integration import Integration, Product, Revision

T = TypeVar("T")

_INTEGRATION = TypeAdapter(Integration)
_REVISION = TypeAdapter(Revision)
_PRODUCT = TypeAdapter(Product)

_NESTED = ("working",)
"""Fields of an integration whose own unknown fields are kept as well."""


class BrokenDefinition(DispatcherError):
    """A record that some hand has edited into something else. Restore it from a backup."""


def read_integration(stored: bytes) -> Integration:
    return _read(_INTEGRATION, stored)


def read_revision(stored: bytes) -> Revision:
    return _read(_REVISION, stored)


def read_product(stored: bytes) -> Product:
    return _read(_PRODUCT, stored)


def _read(adapter: TypeAdapter[T], stored: bytes) -> T:
    try:
        return adapter.validate_json(stored)
    except ValidationError as error:
        places = [".".join(str(part) for part in one["loc"]) or one["type"] for one in error.errors()[:5]]
        text = f"A stored definition cannot be read ({', '.join(places)}): restore it from a backup."
        raise BrokenDefinition(text) from None


def write_revision(revision: Revision) -> bytes:
    return _REVISION.dump_json(revision)


def write_product(product: Product) -> bytes:
    return _PRODUCT.dump_json(product)


def write_integration(integration: Integration, replaced: bytes | None = None) -> bytes:
    """The record of ``integration``, with the unknown fields of the record that it replaces."""
    record: dict[str, Any] = _INTEGRATION.dump_python(integration, mode="json")
    if replaced is None:
        return orjson.dumps(record)
    before = orjson.loads(replaced)
    merged = before | record
    for name in _NESTED:
        merged[name] = before.get(name, {}) | record[name]
    return orjson.dumps(merged)
