"""Describes the fields of integrations in the schema, in the words of their rows. Changes no type."""

from __future__ import annotations

from typing import Any

import strawberry
from graphql import get_named_type

from dispatcher.flow.integrations.fields.records import Record, Records
from dispatcher.flow.integrations.fields.table import INTEGRATION

_MADE_OF_FIELDS = ("CreateProductIntegrationInput", "UpdateProductIntegrationInput", "ProductIntegration")


def describe_fields(schema: strawberry.Schema) -> None:
    """Lay what each row says over the fields of its name, those of objects within included."""
    for name in _MADE_OF_FIELDS:
        _describe(INTEGRATION, schema.schema_converter.type_map[name].implementation)


def _describe(record: Record | Records, shape: Any) -> None:
    for row in record.fields:
        shown = shape.fields.get(row.name)
        if shown is None:
            continue
        shown.description = shown.description or row.description or None
        if isinstance(row.kind, Record | Records):
            _describe(row.kind, get_named_type(shown.type))
