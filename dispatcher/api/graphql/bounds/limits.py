"""Bounds the cost of one query. Measures the text before it is parsed and the document before it is validated.

Never runs a query; each check takes time in proportion to the text, whatever fragments it is made of.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from graphql import GraphQLError
from graphql.language import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
    SelectionSetNode,
)
from strawberry.extensions import SchemaExtension

from dispatcher.api.graphql.bounds.few_errors import FewErrors

MAX_QUERY_CHARS = 32_768
MAX_TOKENS = 1_500
MAX_NESTING = 64
"""Brackets within brackets, before the parser recurses into them."""
MAX_DEPTH = 15
MAX_FIELDS = 400
"""Fields after fragments are spelled out; validation compares them with each other."""
MAX_COST = 20_000
"""Values that an answer may hold, going by ``LISTS``."""
LISTS: dict[str, int] = {"productIntegrations": 100, "nodes": 100, "revisions": 50, "retryPreview": 51}
"""Fields that return many objects, and how many."""
MAX_ALIASES = 50
MAX_ROOT_FIELDS = 20

MAX_SAME_FIELD = 20
"""Times that one field may be asked for in one place; validation compares each pair of them."""

_NOT_BRACKETS = re.compile(r'''"""(?:\\"""|.)*?(?:"""|\Z)|"(?:\\.|[^"\\\n])*"?|#[^\n]*|[^{}\[\]()"#]+''', re.DOTALL)
"""A string without an end goes as far as the parser would look: nothing is tried twice."""


@dataclass(frozen=True, slots=True)
class Size:
    """Of one selection set. ``depth`` counts fields within fields."""

    depth: int = 0
    fields: int = 0
    aliases: int = 0
    cost: int = 0

    def beside(self, other: Size) -> Size:
        return Size(
            max(self.depth, other.depth),
            self.fields + other.fields,
            self.aliases + other.aliases,
            self.cost + other.cost,
        )

    def within(self, field: FieldNode) -> Size:
        times = LISTS.get(field.name.value, 1)
        return Size(self.depth + 1, self.fields + 1, self.aliases + (field.alias is not None), 1 + times * self.cost)


class Limits(SchemaExtension):
    """Refuses a document that is too deep or too wide, between parsing and validation."""

    def on_operation(self) -> Iterator[None]:
        self.execution_context.parse_options["max_tokens"] = MAX_TOKENS
        check_text(self.execution_context.query or "")
        yield

    def on_parse(self) -> Iterator[None]:
        yield
        document = self.execution_context.graphql_document
        if document is not None:
            check_document(document)
            check_choice(document, getattr(self.execution_context.context, "operation_name", None))

    def on_validate(self) -> Iterator[None]:
        """Validation ends at the first few errors."""
        self.execution_context.validation_rules += (FewErrors,)
        yield


def check_text(query: str) -> None:
    """Raises ``GraphQLError`` for a text that is too long or nested too deeply to parse."""
    if len(query) > MAX_QUERY_CHARS:
        raise GraphQLError(f"The query is longer than {MAX_QUERY_CHARS} characters; pass values as variables.")
    level = 0
    for bracket in _NOT_BRACKETS.sub("", query):
        level += (bracket in "{[(") - (bracket in "}])")
        if level > MAX_NESTING:
            raise GraphQLError(f"The query is nested deeper than {MAX_NESTING} brackets.")


def check_document(document: DocumentNode) -> None:
    """Raises ``GraphQLError`` for a document that would cost too much."""
    measure = _Measure(document)
    for operation in document.definitions:
        if not isinstance(operation, OperationDefinitionNode):
            continue
        size = measure.of(operation.selection_set)
        counted = (
            ("depth", size.depth, _introspective(operation) or MAX_DEPTH),
            ("fields", size.fields, MAX_FIELDS),
            ("aliases", size.aliases, MAX_ALIASES),
            ("cost", size.cost, MAX_COST),
            ("top-level selections", len(operation.selection_set.selections), MAX_ROOT_FIELDS),
        )
        for name, count, most in counted:
            if count > most:
                raise GraphQLError(f"The query has {name} {count}; at most {most} is served.", operation)
        _check_repeats(operation.selection_set, measure.fragments)


def _check_repeats(selections: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode]) -> None:
    """Of a document with few enough fields. Those of one name in one place are merged: each is compared with each."""
    times: Counter[tuple[str, ...]] = Counter()
    spread: set[tuple[str, tuple[str, ...]]] = set()
    waiting: list[tuple[SelectionSetNode | None, tuple[str, ...]]] = [(selections, ())]
    while waiting and times.total() <= MAX_FIELDS:  # more are there only where a fragment is within itself
        selection_set, place = waiting.pop()
        for one in selection_set.selections if selection_set else ():
            if isinstance(one, FieldNode):
                inside = (*place, (one.alias or one.name).value)
                times[inside] += 1
                if times[inside] > MAX_SAME_FIELD:
                    text = f"The query asks for {'.'.join(inside)[:200]} more than {MAX_SAME_FIELD} times."
                    raise GraphQLError(text, one)
                waiting.append((one.selection_set, inside))
            elif not isinstance(one, FragmentSpreadNode):
                waiting.append((getattr(one, "selection_set", None), place))
            elif (one.name.value, place) not in spread and one.name.value in fragments:
                spread.add((one.name.value, place))
                waiting.append((fragments[one.name.value].selection_set, place))


def check_choice(document: DocumentNode, operation_name: str | None) -> None:
    """Raises ``GraphQLError`` when nobody said which of several operations is meant (GraphQL §6.1)."""
    operations = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
    if operation_name is None and len(operations) > 1:
        raise GraphQLError("The document has several operations: name one in operationName.", operations[1])


class _Measure:
    """Measures each fragment once, so that fragments of fragments cannot multiply the work."""

    def __init__(self, document: DocumentNode) -> None:
        self.fragments = {
            one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)
        }
        self._known: dict[str, Size] = {}
        self._open: set[str] = set()

    def of(self, selections: SelectionSetNode | None) -> Size:
        size = Size()
        for one in selections.selections if selections else ():
            if isinstance(one, FieldNode):
                size = size.beside(self.of(one.selection_set).within(one))
            elif isinstance(one, FragmentSpreadNode):
                size = size.beside(self._fragment(one.name.value))
            else:
                size = size.beside(self.of(getattr(one, "selection_set", None)))
        return size

    def _fragment(self, name: str) -> Size:
        """A fragment within itself counts nothing here: validation refuses it."""
        if name not in self._known:
            if name in self._open or name not in self.fragments:
                return Size()
            self._open.add(name)
            self._known[name] = self.of(self.fragments[name].selection_set)
            self._open.discard(name)
        return self._known[name]


def _introspective(operation: OperationDefinitionNode) -> int | None:
    """Introspection is deeper by nature (types of types), and only as big as the schema."""
    fields = [one.name.value for one in operation.selection_set.selections if isinstance(one, FieldNode)]
    every = len(fields) == len(operation.selection_set.selections)
    return MAX_NESTING if every and all(name.startswith("__") for name in fields) else None
