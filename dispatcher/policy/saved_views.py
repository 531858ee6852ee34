"""Rules of saved views: how many, under which names, and who shares them. Pure."""

from __future__ import annotations

import unicodedata
from itertools import chain

from dispatcher.errors import Conflict, NotFound, Refused, Unprocessable
from dispatcher.model.access import Caller, Scope
from dispatcher.model.saved_view import SavedView, SavedViews

MOST = 50
"""Views that one client or person keeps, and as many that are shared."""
MAX_NAME_CHARS = 60


def may_share(caller: Caller) -> bool:
    """True for those who act on events: they share views, and change or delete those that others share."""
    return caller.may(Scope.OPS_WRITE, Scope.EVENTS_WRITE)


def reach_of(caller: Caller) -> str:
    """The part of the deployment that a shared view is for: who is bound otherwise learns nothing of it."""
    places = None if caller.marketplaces is None else sorted(caller.marketplaces)
    return repr((caller.account_id, caller.vendor_id, places))


def put(views: SavedViews, view: SavedView, caller: Caller, *, shared: bool) -> SavedViews:
    """With the view, new or changed. Raises ``Unprocessable``, ``Refused``, ``Conflict``."""
    if shared or views.is_shared(view.id):
        check_sharing(caller)
    _check_name(views, view)
    after = views.put(view, shared=shared)
    if max(len(after.own), len(after.shared)) > MOST:
        raise Conflict.of("too_many_views", f"There are {MOST} views already: delete one that nobody needs.", "name")
    return after


def without(views: SavedViews, view_id: str, caller: Caller) -> SavedViews:
    """Raises ``NotFound``, ``Refused``."""
    found(views, view_id)
    if views.is_shared(view_id):
        check_sharing(caller)
    return views.without(view_id)


def found(views: SavedViews, view_id: str) -> SavedView:
    view = views.find(view_id)
    if view is None:
        raise NotFound.of("not_found", "There is no such view; it was deleted, or is somebody else's.")
    return view


def check_sharing(caller: Caller) -> None:
    if not may_share(caller):
        text = f"Sharing a view, or changing a shared one, needs {Scope.OPS_WRITE} or {Scope.EVENTS_WRITE}."
        raise Refused.of("insufficient_scope", text)


def _check_name(views: SavedViews, view: SavedView) -> None:
    if not 0 < len(view.name) <= MAX_NAME_CHARS or not view.name.isprintable():
        raise Unprocessable.of("invalid_value", f"Give one line of 1 to {MAX_NAME_CHARS} characters.", "name")
    others = (one for one in chain(views.own, views.shared) if one.id != view.id)
    if same := next((one for one in others if _folded(one.name) == _folded(view.name)), None):
        whose = "a shared view" if views.is_shared(same.id) else "a view of yours"
        raise Conflict.of("already_exists", f"{same.name} is {whose} already: choose another name.", "name")


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold()
