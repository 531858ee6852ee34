"""How definitions are written down: JSON of the dataclasses, readable by older and newer versions.

A reader ignores fields that it does not know; a writer keeps them, so that two versions can share
a store during a rolling upgrade. Never touches Redis.
"""

from __future__ import annotations

from typing import Any

import orjson
from pydantic import TypeAdapter

from dispatcher.model.integration import Integration, Product, Revision

_INTEGRATION = TypeAdapter(Integration)
_REVISION = TypeAdapter(Revision)
_PRODUCT = TypeAdapter(Product)

_NESTED = ("working",)
"""Fields of an integration whose own unknown fields are kept as well."""


def read_integration(stored: bytes) -> Integration:
    return _INTEGRATION.validate_json(stored)


def read_revision(stored: bytes) -> Revision:
    return _REVISION.validate_json(stored)


def read_product(stored: bytes) -> Product:
    return _PRODUCT.validate_json(stored)


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
