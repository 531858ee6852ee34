"""Views of the console's list of events: saved, changed, shared and deleted by whoever looks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from dispatcher.errors import Conflict
from dispatcher.ids import new_uuid
from dispatcher.model.access import Caller
from dispatcher.model.precondition import Precondition
from dispatcher.model.saved_view import SavedView, SavedViews
from dispatcher.policy.saved_views import found, put, reach_of, without
from dispatcher.store.access.saved_views import Lists, SavedViewStore


@dataclass(frozen=True, slots=True)
class Draft:
    """A view as somebody wants it. ``conditions`` can be read as a filter."""

    name: str
    conditions: Mapping[str, str]
    shared: bool


@dataclass(frozen=True, slots=True)
class ViewDesk:
    """``caller_name``: of a person; empty for an API client."""

    views: SavedViewStore
    caller: Caller
    caller_name: str
    now_ms: int

    @property
    def _lists(self) -> Lists:
        return Lists(self.caller.client_id, reach_of(self.caller))

    async def all(self) -> SavedViews:
        return await self.views.all(self._lists)

    async def save(self, draft: Draft) -> SavedView:
        """A new one. Raises ``Unprocessable``, ``Refused``, ``Conflict``."""
        given = tuple(draft.conditions.items())
        view = SavedView(new_uuid(), draft.name, given, self.caller.client_id, self.caller_name, self.now_ms)
        await self.views.edit(self._lists, view.id, lambda views: put(views, view, self.caller, shared=draft.shared))
        return view

    async def change(self, view_id: str, draft: Draft, expected: Precondition | None = None) -> SavedView:
        """As ``save``; ``NotFound``; ``Conflict`` (modified_meanwhile) unless its ``changed_ms`` meets ``expected``."""

        def changed(views: SavedViews) -> SavedViews:
            before = found(views, view_id)
            if expected is not None and not expected(str(before.changed_ms)):
                raise Conflict.of("modified_meanwhile", "The view was changed meanwhile: open it again and repeat.")
            given = tuple(draft.conditions.items())
            view = replace(before, name=draft.name, conditions=given, changed_ms=self.now_ms)
            return put(views, view, self.caller, shared=draft.shared)

        return found(await self.views.edit(self._lists, view_id, changed), view_id)

    async def delete(self, view_id: str) -> None:
        """Raises ``NotFound``, ``Refused``."""
        await self.views.edit(self._lists, view_id, lambda views: without(views, view_id, self.caller))
