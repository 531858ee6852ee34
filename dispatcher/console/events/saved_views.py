"""Views that whoever looks has saved, or others share: above the list of events, and who may do what with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from aiohttp import web
from multidict import MultiMapping

from dispatcher.api.auditing import noting
from dispatcher.console.frame.navigation import HOME
from dispatcher.console.frame.screen import EVENTS
from dispatcher.console.frame.viewer import Viewer
from dispatcher.flow.access.saved_views import ViewDesk
from dispatcher.model.saved_view import SavedView
from dispatcher.store.access.saved_views import SavedViewStore

SAVED_VIEWS = web.AppKey("saved_views", SavedViewStore)
VIEWS = f"{HOME}/views"
CONDITIONS = ("q", "status", "type", "productId", "accountId", "integrationId", "from", "to")
"""Parameters of the list of events that a view keeps."""
ABOVE = 8
"""Views of one's own above the list, and as many shared ones; all of them have a page."""


@dataclass(frozen=True, slots=True)
class ViewLink:
    """A view where it can be gone to. ``here``: it is what the list shows at this moment."""

    view: SavedView
    shared: bool
    here: bool

    @property
    def path(self) -> str:
        return path_of(dict(self.view.conditions))

    @property
    def asked(self) -> str:
        """Its filter in one line."""
        given = dict(self.view.conditions)
        beside = [f"{name}={text}" for name, text in given.items() if name != "q"]
        return " ".join([*([given["q"]] if "q" in given else []), *beside])


def conditions_of(given: MultiMapping[str]) -> dict[str, str]:
    """Those of a view, without the empty ones."""
    found = {name: ",".join(given.getall(name)).strip() for name in CONDITIONS if name in given}
    return {name: text for name, text in found.items() if text}


def above(views: Sequence[ViewLink]) -> list[ViewLink]:
    """Those that stand above the list: the first of each kind, and the one that is looked at."""
    firsts = [one for shared in (False, True) for one in [view for view in views if view.shared is shared][:ABOVE]]
    return [one for one in views if one in firsts or one.here]


def path_of(conditions: Mapping[str, str]) -> str:
    """The list of events under these conditions: what one gives to a colleague."""
    return f"{EVENTS}?{urlencode(conditions)}"


def desk_of(request: web.Request, viewer: Viewer, action: str = "") -> ViewDesk:
    """``action``: as the audit log calls the change; none = nothing is changed."""
    store = request.app[SAVED_VIEWS]
    noted = store.noted(noting(request, action)) if action else store
    return ViewDesk(noted, viewer.caller, viewer.name, viewer.now_ms)


async def links(
    request: web.Request, viewer: Viewer, conditions: Mapping[str, str] | None = None
) -> tuple[ViewLink, ...]:
    """One's own first. ``conditions``: what the list shows."""
    views, here = await desk_of(request, viewer).all(), dict(conditions or {})
    listed = ((views.own, False), (views.shared, True))
    return tuple(ViewLink(one, shared, dict(one.conditions) == here) for several, shared in listed for one in several)
