"""Reads a filter's document: each problem leads to its operator or path. Never decides about an event, never raises."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from dispatcher.errors import Problem
from dispatcher.model.event_type import EventType
from dispatcher.policy.integration_filter.conditions import (
    OBJECTS,
    ROOTS,
    TESTS,
    Every,
    Node,
    Opposite,
    Some,
    condition,
)

MAX_DEPTH = 10
MAX_CONDITIONS = 50
MAX_LISTED = 100
"""Values of one ``$in`` or ``$nin``."""
MAX_PATH_CHARS = 200
MAX_VALUE_CHARS = 1000
MAX_NUMBER = 2**53
MAX_PROBLEMS = 20

_COMBINING = ("$and", "$or")
_KNOWN_TYPES = frozenset(kind.value for kind in EventType)


@dataclass(frozen=True, slots=True)
class Bounds:
    """Bounds of a filter's size."""

    depth: int = MAX_DEPTH
    conditions: int = MAX_CONDITIONS
    listed: int = MAX_LISTED
    path_chars: int = MAX_PATH_CHARS
    value_chars: int = MAX_VALUE_CHARS


SAVING = Bounds()
STORED = Bounds(depth=64, conditions=2**20, listed=2**20, path_chars=4000, value_chars=2**20)
"""Filters that were saved under other bounds go on deciding; the steps bound their cost."""


@dataclass(slots=True)
class Reader:
    """Reads one document. Goes no deeper than allowed, and stops looking once enough is wrong."""

    bounds: Bounds
    problems: list[Problem] = field(default_factory=list)
    conditions: int = 0

    def filter(self, document: object, where: str, depth: int, *, top: bool = False) -> Every | None:
        if self._is_object(document, where, depth, top) and isinstance(document, dict):
            return Every(_kept(self._entry(key, value, where, depth) for key, value in document.items()))
        return None

    def _entry(self, key: object, value: object, where: str, depth: int) -> Node | None:
        if not isinstance(key, str) or len(key) > self.bounds.path_chars or not _storable(key):
            return self._problem("invalid_text", f"A path has at most {self.bounds.path_chars} characters.", where)
        inside = f"{where}.{key}"
        if key == "$not":
            part = self.filter(value, inside, depth + 1)
            return Opposite(part) if part else None
        if key in _COMBINING:
            return self._combined(key, value, inside, depth)
        if key.startswith("$"):
            return self._unknown(key, inside, (*_COMBINING, "$not"))
        path = self._path(key, inside)
        return self._field(path, value, inside, depth) if path else None

    def _combined(self, key: str, value: object, where: str, depth: int) -> Node | None:
        if not isinstance(value, list) or not value:
            return self._problem("wrong_type", f"{key} is a list of at least one filter.", where)
        parts = _kept(
            self.filter(one, f"{where}.{place}", depth + 1)
            for place, one in enumerate(value[: self.bounds.conditions + 1])
        )
        if len(value) > self.bounds.conditions:
            return self._too_many(where)
        return Every(parts) if key == "$and" else Some(parts)

    def _path(self, key: str, where: str) -> tuple[str, ...] | None:
        root, *below = key.split(".")
        if root not in ROOTS or (below and root not in OBJECTS) or not all(below):
            text = f"A path begins with {', '.join(ROOTS)}; only {' and '.join(sorted(OBJECTS))} go on after a dot."
            self._problem("unknown_field", text, where)
            return None
        return (root, *below)

    def _field(self, path: tuple[str, ...], value: object, where: str, depth: int) -> Node | None:
        """A bare value, or an object of operators."""
        if not isinstance(value, dict):
            return self._condition(path, "$eq", value, where)
        if not self._is_object(value, where, depth + 1):
            return None
        return Every(_kept(self._operator(path, name, operand, where, depth + 1) for name, operand in value.items()))

    def _operator(self, path: tuple[str, ...], name: object, operand: object, where: str, depth: int) -> Node | None:
        if name == "$not":
            part = self._field(path, operand, f"{where}.$not", depth)
            return Opposite(part) if part else None
        if not isinstance(name, str) or name not in TESTS:
            return self._unknown(name, where, (*TESTS, "$not"))
        return self._condition(path, name, operand, f"{where}.{name}")

    def _condition(self, path: tuple[str, ...], operator: str, operand: object, where: str) -> Node | None:
        self.conditions += 1
        if self.conditions > self.bounds.conditions:
            return self._too_many(where)
        fits, how = _OPERANDS[operator]
        if not fits(operand, self.bounds):
            return self._problem("wrong_type", f"{operator} takes {how}.", where)
        if path == ("type",) and operator in _COMPARING and not _names_types(operand):
            text = f"The type is one of {', '.join(EventType)}; short names are not compared."
            return self._problem("invalid_value", text, where)
        return condition(path, operator, tuple(operand) if isinstance(operand, list) else operand)  # type: ignore[arg-type]

    def _is_object(self, value: object, where: str, depth: int, may_be_empty: bool = False) -> bool:
        if depth > self.bounds.depth:
            self._problem("too_deep", f"Nest a filter at most {self.bounds.depth} deep.", where)
        elif not isinstance(value, dict) or not (value or may_be_empty):
            self._problem("wrong_type", "Give an object with at least one condition.", where)
        return depth <= self.bounds.depth and isinstance(value, dict) and len(self.problems) < MAX_PROBLEMS

    def _too_many(self, where: str) -> Node | None:
        if any(problem.code == "limit_reached" for problem in self.problems):
            return None
        return self._problem("limit_reached", f"A filter has at most {self.bounds.conditions} conditions.", where)

    def _unknown(self, name: object, where: str, known: Iterable[str]) -> Node | None:
        text = f"{str(name)[:64]!a} is no operator here; use {', '.join(known)}. Fields within fields are dotted paths."
        return self._problem("unknown_operator", text, where)

    def _problem(self, code: str, message: str, where: str) -> Node | None:
        """Note it; nothing comes of what is wrong."""
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(code, message, where))
        return None


def _kept(parts: Iterable[Node | None]) -> tuple[Node, ...]:
    return tuple(part for part in parts if part is not None)


def _is_scalar(value: object, bounds: Bounds) -> bool:
    return value is None or isinstance(value, bool) or _is_comparable(value, bounds)


def _is_comparable(value: object, bounds: Bounds) -> bool:
    if isinstance(value, str):
        return len(value) <= bounds.value_chars and _storable(value)
    return isinstance(value, int | float) and not isinstance(value, bool) and _is_number(value)


def _is_number(value: float) -> bool:
    return abs(value) <= MAX_NUMBER if isinstance(value, int) else math.isfinite(value)


def _is_list(value: object, bounds: Bounds) -> bool:
    return (
        isinstance(value, list) and 1 <= len(value) <= bounds.listed and all(_is_scalar(one, bounds) for one in value)
    )


def _is_truth(value: object, _: Bounds) -> bool:
    return isinstance(value, bool)


def _names_types(operand: object) -> bool:
    named = operand if isinstance(operand, list) else [operand]
    return all(isinstance(one, str) and one in _KNOWN_TYPES for one in named)


def _storable(text: str) -> bool:
    """Half of a surrogate pair is no character, and can be written to no store."""
    return text.isascii() or not any("\ud800" <= one <= "\udfff" for one in text)


_SCALAR = (_is_scalar, f"a text of at most {MAX_VALUE_CHARS} characters, a number, true, false or null")
_LIST = (_is_list, f"a list of 1 to {MAX_LISTED} texts, numbers, true, false or null")
_BOUND = (_is_comparable, f"a number, or a text of at most {MAX_VALUE_CHARS} characters")

_COMPARING = frozenset({"$eq", "$ne", "$in", "$nin"})
_OPERANDS: Mapping[str, tuple[Callable[[object, Bounds], bool], str]] = {
    "$eq": _SCALAR,
    "$ne": _SCALAR,
    "$in": _LIST,
    "$nin": _LIST,
    "$gt": _BOUND,
    "$gte": _BOUND,
    "$lt": _BOUND,
    "$lte": _BOUND,
    "$exists": (_is_truth, "true or false"),
}
"""Operands that an operator takes, and the words for them."""
