"""Saved filters of the console's list of events. Decides nothing."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain


@dataclass(frozen=True, slots=True)
class SavedView:
    """``conditions``: parameters of the list and their texts as they were typed, so that ages count from each look."""

    id: str
    name: str
    conditions: tuple[tuple[str, str], ...]
    by: str
    """The client or person who saved it first."""
    by_name: str
    """Of a person; empty for an API client."""
    changed_ms: int


@dataclass(frozen=True, slots=True)
class SavedViews:
    """Views that somebody sees: their own, and those shared by whoever has the same reach; in order of their names."""

    own: tuple[SavedView, ...] = ()
    shared: tuple[SavedView, ...] = ()

    def find(self, view_id: str) -> SavedView | None:
        return next((one for one in chain(self.own, self.shared) if one.id == view_id), None)

    def is_shared(self, view_id: str) -> bool:
        return any(one.id == view_id for one in self.shared)

    def put(self, view: SavedView, *, shared: bool) -> SavedViews:
        """With the view in the one list, in place of what has its id in either."""
        left = self.without(view.id)
        if shared:
            return SavedViews(left.own, _sorted((*left.shared, view)))
        return SavedViews(_sorted((*left.own, view)), left.shared)

    def without(self, view_id: str) -> SavedViews:
        own, shared = (tuple(one for one in views if one.id != view_id) for views in (self.own, self.shared))
        return SavedViews(own, shared)


def _sorted(views: tuple[SavedView, ...]) -> tuple[SavedView, ...]:
    return tuple(sorted(views, key=lambda one: (one.name.casefold(), one.id)))
