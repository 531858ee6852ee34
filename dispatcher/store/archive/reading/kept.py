"""The latest of what was read, up to a weight of all together. For any number of threads."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class Kept(Generic[T]):
    """The one that was asked for longest ago goes first; the last one stays, whatever its weight."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = Lock()
        self._values: OrderedDict[str, tuple[T, int]] = OrderedDict()
        self._weight = 0

    def get(self, key: str) -> T | None:
        with self._lock:
            found = self._values.get(key)
            if found is None:
                return None
            self._values.move_to_end(key)
            return found[0]

    def forget(self, key: str) -> None:
        with self._lock:
            if found := self._values.pop(key, None):
                self._weight -= found[1]

    def keep(self, key: str, value: T, weight: int) -> None:
        """A value never changes under its key: kept twice, it is kept once."""
        with self._lock:
            if key in self._values:
                return
            self._values[key] = value, weight
            self._weight += weight
            while self._weight > self._most and len(self._values) > 1:
                self._weight -= self._values.popitem(last=False)[1][1]
