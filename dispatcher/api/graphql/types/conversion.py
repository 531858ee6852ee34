"""Turns inputs into documents, and documents into outputs, by their types. Knows no field and decides nothing."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from enum import Enum
from functools import lru_cache
from typing import Any, TypeVar

from strawberry.types.base import get_object_definition, has_object_definition
from strawberry.types.unset import UNSET

from dispatcher.api.graphql.words.wording import Names

T = TypeVar("T")

_NAMES = Names()


def document_of(values: Any) -> dict[str, Any]:
    """Everything that an input gives, by GraphQL's names and as plain values; what is left out is in it nowhere."""
    kind: type = type(values)
    given = {name: getattr(values, attribute) for attribute, name in _attributes(kind).items()}
    return {name: _plain(value) for name, value in given.items() if value is not UNSET}


def built(kind: type[T], document: Mapping[str, Any]) -> T:
    """An output of ``kind`` from a document of its fields."""
    return kind(**arguments(kind, document))


def arguments(kind: type, document: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes of ``kind`` that the document has, as they are typed there."""
    hints = _hints(kind)
    found = {attribute: name for attribute, name in _attributes(kind).items() if name in document}
    return {attribute: _typed(hints[attribute], document[name]) for attribute, name in found.items()}


@lru_cache
def _attributes(kind: type) -> dict[str, str]:
    """Attribute → GraphQL name, of fields that are no resolvers."""
    fields = get_object_definition(kind, strict=True).fields
    return {one.python_name: _NAMES.get_graphql_name(one) for one in fields if one.base_resolver is None}


@lru_cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return document_of(value) if has_object_definition(value) else value


def _typed(hint: Any, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(hint, types.UnionType):
        return _typed(next(one for one in typing.get_args(hint) if one is not types.NoneType), value)
    if typing.get_origin(hint) is list:
        return [_typed(typing.get_args(hint)[0], one) for one in value]
    if has_object_definition(hint):
        return built(hint, value)
    return hint(value) if isinstance(hint, type) and issubclass(hint, Enum) else value
