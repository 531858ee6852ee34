"""Scalars that GraphQL has no name for."""

from __future__ import annotations

from typing import Any, NewType

import strawberry
from graphql import GraphQLError
from graphql.language import EnumValueNode, Node, StringValueNode
from strawberry.types.scalar import ScalarDefinition

EpochMs = NewType("EpochMs", int)
"""Milliseconds since the epoch, which GraphQL's 32-bit ``Int`` cannot hold."""

FormFieldType = NewType("FormFieldType", str)
"""A word for a kind of answer, quoted or bare. Which words there are is checked with all other fields."""


def _word(given: Any, node: Node | None = None) -> str:
    if not isinstance(given, str):
        raise GraphQLError(f"{str(given)[:64]!r} is no kind of answer; give a word such as TEXT.", node)
    return given


def _word_in(node: Node, *_: Any) -> str:
    return _word(node.value if isinstance(node, EnumValueNode | StringValueNode) else None, node)


def take_bare_words(schema: strawberry.Schema) -> None:
    """Let scalars of words take them bare: of a literal, graphql-core 3.3 asks ``coerce_input_literal`` alone."""
    kind = schema.schema_converter.type_map["OrderFormFieldType"].implementation
    setattr(kind, "coerce_input_literal", _word_in)  # noqa: B010 - not an attribute of its type


SCALARS: dict[object, ScalarDefinition] = {
    EpochMs: strawberry.scalar(
        name="Long", description="A whole number of up to 53 bits.", serialize=int, parse_value=int
    ),
    FormFieldType: strawberry.scalar(
        name="OrderFormFieldType",
        description="A word such as TEXT, quoted or bare, in any case.",
        serialize=str,
        parse_value=_word,
        parse_literal=_word_in,
    ),
}
