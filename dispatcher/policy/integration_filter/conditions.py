"""Conditions of a filter once it is read: what each asks of an event's fields, and how they combine.

Null and absent are one. Of a list, any entry may meet a condition. The cost of looking is counted in steps, never in
time, so that the same event is always judged alike. Never raises but ``OverBudgetError``, whatever an event holds.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from dispatcher.model.event import Event

ROOTS: Mapping[str, str] = {
    "type": "type",
    "productId": "product_id",
    "accountId": "account_id",
    "subscriptionId": "subscription_id",
    "flag": "flag",
    "creator": "creator",
    "payload": "payload",
}
"""First part of a path → attribute of the event."""
OBJECTS: frozenset[str] = frozenset({"creator", "payload"})
"""Roots that have something below them."""
MAX_STEPS = 10_000
"""Of one filter with one event: a value that is walked over or compared is a step, 64 characters in order another."""
MAX_SHOWN_CHARS = 200

_CHARS_OF_A_STEP = 64

Path = tuple[str, ...]
Scalar = str | int | float | bool | None
Operand = Scalar | Sequence[Scalar]
Found = Sequence[object]
Test = Callable[[Found], bool]


class OverBudgetError(Exception):
    """The filter would look at more of this event than it may."""


class Look:
    """One event under one filter: what is found at each path, and the steps that are left."""

    __slots__ = ("_event", "_found", "_steps_left")

    def __init__(self, event: Event, max_steps: int = MAX_STEPS) -> None:
        self._event = event
        self._found: dict[Path, list[object]] = {}
        self._steps_left = max_steps

    def spend(self, steps: int) -> None:
        self._steps_left -= steps
        if self._steps_left < 0:
            raise OverBudgetError

    def found(self, path: Path) -> Found:
        """Everything that is not null at ``path``; of a list at its end, the list and then its entries."""
        known = self._found.get(path)
        if known is None:
            known = self._found[path] = self._walked(path)
        return known

    def _walked(self, path: Path) -> list[object]:
        top = getattr(self._event, ROOTS[path[0]])
        at = [] if top is None else [top]
        for name in path[1:]:
            self.spend(1 + len(at))
            at = [inner for value in at for inner in self._below(value, name) if inner is not None]
        return [one for value in at for one in self._with_entries(value)]

    def _below(self, value: object, name: str) -> Sequence[object]:
        if isinstance(value, dict):
            return (value.get(name),)
        if not isinstance(value, list):
            return ()
        if name.isascii() and name.isdigit():
            place = int(name)
            return (value[place],) if place < len(value) else ()
        self.spend(len(value))
        return [entry.get(name) for entry in value if isinstance(entry, dict)]

    def _with_entries(self, value: object) -> Sequence[object]:
        if not isinstance(value, list):
            return (value,)
        self.spend(len(value))
        return [value, *(one for one in value if one is not None)]


@dataclass(frozen=True, slots=True)
class Condition:
    """One operator on one path. ``steps``: what comparing one value costs."""

    path: Path
    test: Test
    steps: int
    text: str

    def holds(self, look: Look) -> bool:
        found = look.found(self.path)
        look.spend(1 + self.steps * len(found))
        return self.test(found)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Every:
    """Holds when each part does; without parts, always."""

    parts: tuple[Node, ...]

    def holds(self, look: Look) -> bool:
        return all(part.holds(look) for part in self.parts)

    def __str__(self) -> str:
        return " and ".join(str(part) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Some:
    """Holds when at least one part does."""

    parts: tuple[Node, ...]

    def holds(self, look: Look) -> bool:
        return any(part.holds(look) for part in self.parts)

    def __str__(self) -> str:
        return f"({' or '.join(str(part) for part in self.parts)})"


@dataclass(frozen=True, slots=True)
class Opposite:
    part: Node

    def holds(self, look: Look) -> bool:
        return not self.part.holds(look)

    def __str__(self) -> str:
        return f"not ({self.part})"


Node = Condition | Every | Some | Opposite


def condition(path: Path, name: str, operand: Operand) -> Condition:
    """Operator ``name`` on ``path``, made ready: what is listed is a set."""
    ordered_chars = len(operand) if isinstance(operand, str) and name in _ORDERED else 0
    text = f"{'.'.join(path)} {name} {orjson.dumps(operand).decode()}"
    shown = text if len(text) <= MAX_SHOWN_CHARS else f"{text[:MAX_SHOWN_CHARS]}…"
    return Condition(path, TESTS[name](operand), 1 + ordered_chars // _CHARS_OF_A_STEP, shown)


def _one_of(wanted: Sequence[Scalar]) -> Test:
    """As in JSON: 1 is 1.0, true is not 1."""
    truths = frozenset(one for one in wanted if isinstance(one, bool))
    others = frozenset(one for one in wanted if one is not None and not isinstance(one, bool))
    absent = None in wanted

    def test(found: Found) -> bool:
        if not found:
            return absent
        return any(
            one in truths if isinstance(one, bool) else isinstance(one, str | int | float) and one in others
            for one in found
        )

    return test


def _listed(operand: Operand) -> Sequence[Scalar]:
    return operand if isinstance(operand, tuple) else (operand,)


def _not(make: Callable[[Operand], Test]) -> Callable[[Operand], Test]:
    def made(operand: Operand) -> Test:
        test = make(operand)
        return lambda found: not test(found)

    return made


def _equal(operand: Operand) -> Test:
    return _one_of(_listed(operand))


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Operand], Test]:
    def made(bound: Operand) -> Test:
        kind = str if isinstance(bound, str) else (int, float)

        def test(found: Found) -> bool:
            return any(compare(one, bound) for one in found if isinstance(one, kind) and not isinstance(one, bool))

        return test

    return made


_ORDERED: Mapping[str, Callable[[Operand], Test]] = {
    "$gt": _ordered(operator.gt),
    "$gte": _ordered(operator.ge),
    "$lt": _ordered(operator.lt),
    "$lte": _ordered(operator.le),
}
TESTS: Mapping[str, Callable[[Operand], Test]] = {
    "$eq": _equal,
    "$ne": _not(_equal),
    "$in": _equal,
    "$nin": _not(_equal),
    **_ORDERED,
    "$exists": lambda wanted: lambda found: bool(found) is wanted,
}
"""The test of each operator on the values that were found, made for its operand."""
