"""What a filter is made of once it is read: conditions on an event's fields, and how they combine.

Null and absent are one. Of a list, any entry may meet a condition. Never raises, whatever an event holds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

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
MAX_VALUES = 1000
"""Values of one event that one condition looks at."""
MAX_SHOWN_CHARS = 200

Scalar = str | int | float | bool | None
Operand = Scalar | Sequence[Scalar]
Found = Sequence[object]


@dataclass(frozen=True, slots=True)
class Condition:
    """One operator on one path."""

    path: tuple[str, ...]
    operator: str
    operand: Operand

    def holds(self, event: Event) -> bool:
        found = list(islice(values(event, self.path), MAX_VALUES))
        return TESTS[self.operator](found, self.operand)

    def __str__(self) -> str:
        text = f"{'.'.join(self.path)} {self.operator} {orjson.dumps(self.operand).decode()}"
        return text if len(text) <= MAX_SHOWN_CHARS else f"{text[:MAX_SHOWN_CHARS]}…"


@dataclass(frozen=True, slots=True)
class Every:
    """Holds when each part does; without parts, always."""

    parts: tuple[Node, ...]

    def holds(self, event: Event) -> bool:
        return all(part.holds(event) for part in self.parts)

    def __str__(self) -> str:
        return " and ".join(str(part) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Some:
    """Holds when at least one part does."""

    parts: tuple[Node, ...]

    def holds(self, event: Event) -> bool:
        return any(part.holds(event) for part in self.parts)

    def __str__(self) -> str:
        return f"({' or '.join(str(part) for part in self.parts)})"


@dataclass(frozen=True, slots=True)
class Opposite:
    part: Node

    def holds(self, event: Event) -> bool:
        return not self.part.holds(event)

    def __str__(self) -> str:
        return f"not ({self.part})"


Node = Condition | Every | Some | Opposite


def values(event: Event, path: Sequence[str]) -> Iterator[object]:
    """Everything that is not null at ``path``; of a list at its end, the list and then its entries."""
    return _below(getattr(event, ROOTS[path[0]]), path[1:])


def _below(value: object, path: Sequence[str]) -> Iterator[object]:
    if value is None:
        return
    if not path:
        yield value
        if isinstance(value, list):
            yield from (one for one in value if one is not None)
    elif isinstance(value, dict):
        yield from _below(value.get(path[0]), path[1:])
    elif isinstance(value, list):
        yield from _in_list(value, path)


def _in_list(entries: list[object], path: Sequence[str]) -> Iterator[object]:
    if path[0].isascii() and path[0].isdigit():
        place = int(path[0])
        yield from _below(entries[place] if place < len(entries) else None, path[1:])
        return
    for entry in entries:
        if isinstance(entry, dict):
            yield from _below(entry, path)


def _equals(found: Found, wanted: object) -> bool:
    if wanted is None:
        return not found
    return any(_same(one, wanted) for one in found)


def _is_one_of(found: Found, wanted: object) -> bool:
    return isinstance(wanted, Sequence) and any(_equals(found, one) for one in wanted)


def _same(one: object, other: object) -> bool:
    """As in JSON: 1 is 1.0, true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return isinstance(one, str | int | float) and one == other


def _ordered(compare: Callable[[float | str, float | str], bool]) -> Callable[[Found, object], bool]:
    def test(found: Found, bound: object) -> bool:
        kind = str if isinstance(bound, str) else (int, float)
        comparable = (one for one in found if isinstance(one, kind) and not isinstance(one, bool))
        return isinstance(bound, str | int | float) and any(compare(one, bound) for one in comparable)

    return test


TESTS: Mapping[str, Callable[[Found, object], bool]] = {
    "$eq": _equals,
    "$ne": lambda found, wanted: not _equals(found, wanted),
    "$in": _is_one_of,
    "$nin": lambda found, wanted: not _is_one_of(found, wanted),
    "$gt": _ordered(lambda one, bound: one > bound),  # type: ignore[operator]
    "$gte": _ordered(lambda one, bound: one >= bound),  # type: ignore[operator]
    "$lt": _ordered(lambda one, bound: one < bound),  # type: ignore[operator]
    "$lte": _ordered(lambda one, bound: one <= bound),  # type: ignore[operator]
    "$exists": lambda found, wanted: bool(found) is wanted,
}
"""What each operator asks of the values that were found."""
