"""A bounded map whose entries may grow too old. Not shared between threads; never waits."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class ExpiringCache(Generic[K, V]):
    """At most ``capacity`` entries; the least recently used goes first. Older than ``max_age_s`` = absent."""

    def __init__(self, capacity: int, max_age_s: float, now: Callable[[], float]) -> None:
        self._entries: OrderedDict[K, tuple[V, float]] = OrderedDict()
        self._capacity = capacity
        self._max_age_s = max_age_s
        self._now = now

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: K) -> V | None:
        entry = self._entries.get(key)
        if entry is None or entry[1] <= self._now():
            return None
        self._entries.move_to_end(key)
        return entry[0]

    def put(self, key: K, value: V) -> V:
        """Keep ``value``, or the equal one that is there already: whoever compares by identity sees no change."""
        before = self._entries.get(key)
        if before is not None and before[0] == value:
            value = before[0]
        self._entries[key] = value, self._now() + self._max_age_s
        self._entries.move_to_end(key)
        if len(self._entries) > self._capacity:
            self._entries.popitem(last=False)
        return value

    def drop(self, key: K) -> None:
        self._entries.pop(key, None)

    def clear(self) -> None:
        self._entries.clear()
