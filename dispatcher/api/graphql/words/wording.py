"""Takes the schema's descriptions from docstrings, and drops the underscore of names that Python has taken."""

from __future__ import annotations

from inspect import cleandoc

import strawberry
from graphql import GraphQLInputObjectType, GraphQLInterfaceType, GraphQLObjectType
from strawberry.schema.name_converter import NameConverter
from strawberry.types.base import StrawberryObjectDefinition


class Names(NameConverter):
    """``input_`` and ``id_`` are Python's way to spell ``input`` and ``id``."""

    def apply_naming_config(self, name: str) -> str:
        return super().apply_naming_config(name.rstrip("_"))


def describe(schema: strawberry.Schema) -> None:
    """Give every type and field of ``schema`` that has no description its docstring."""
    for concrete in schema.schema_converter.type_map.values():
        definition, shown = concrete.definition, concrete.implementation
        if not isinstance(definition, StrawberryObjectDefinition):
            continue
        if not isinstance(shown, GraphQLObjectType | GraphQLInputObjectType | GraphQLInterfaceType):
            continue
        shown.description = shown.description or _own_words(definition.origin)
        for field in definition.fields:
            if field.base_resolver is not None:
                name = schema.config.name_converter.get_graphql_name(field)
                shown.fields[name].description = cleandoc(field.base_resolver.wrapped_func.__doc__ or "") or None


def _own_words(kind: type) -> str | None:
    """The docstring, unless it is inherited or the signature that dataclasses make up."""
    text = kind.__dict__.get("__doc__")
    return cleandoc(text) if text and not text.startswith(f"{kind.__name__}(") else None
