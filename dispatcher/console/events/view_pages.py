"""Pages of saved views: all of them, the form of one, and what the form does. The rules are in ``policy``."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web
from multidict import MultiDict

from dispatcher.api.http.request.known_parameters import refuse_unheeded
from dispatcher.api.rest.events.asked.filters import filter_from_query
from dispatcher.console.events.saved_views import CONDITIONS, VIEWS, conditions_of, desk_of, links, path_of
from dispatcher.console.frame.precondition import as_drawn
from dispatcher.console.frame.sentences import back, said
from dispatcher.console.frame.viewer import Viewer
from dispatcher.errors import InvalidRequest, NotFound, Refused, RequestError
from dispatcher.flow.access.saved_views import Draft
from dispatcher.model.saved_view import SavedView
from dispatcher.pages.forms import wrongs
from dispatcher.policy.saved_views import MAX_NAME_CHARS, check_sharing, found, may_share

_KNOWN = dict.fromkeys(CONDITIONS, False)


async def show_views(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    refuse_unheeded(request, {"said": False})
    return viewer.page(
        "views.html",
        links=await links(request, viewer),
        may_share=may_share(viewer.caller),
        shared_with=_shared_with(viewer),
        said=said(request),
    )


async def show_new_view(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """The form, with the conditions of the list that it was asked for from."""
    refuse_unheeded(request, _KNOWN)
    return _form(viewer, conditions_of(request.query))


async def save_view(request: web.Request, viewer: Viewer, fields: dict[str, str]) -> web.StreamResponse:
    """303 to the list under the view; the form again with what is wrong beside its field."""
    try:
        view = await desk_of(request, viewer, "saveView").save(_draft(viewer, fields))
    except RequestError as error:
        return _again(viewer, fields, error)
    return back(path_of(dict(view.conditions)), "view-saved")


async def show_view(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    refuse_unheeded(request, {})
    views = await desk_of(request, viewer).all()
    view = found(views, request.match_info["viewId"])
    shared = views.is_shared(view.id)
    if shared:
        check_sharing(viewer.caller)
    return _form(viewer, dict(view.conditions), view, {"name": view.name}, shared=shared)


async def change_view(request: web.Request, viewer: Viewer, fields: dict[str, str]) -> web.StreamResponse:
    desk, view_id = desk_of(request, viewer, "changeView"), request.match_info["viewId"]
    view = found(await desk.all(), view_id)
    try:
        view = await desk.change(view_id, _draft(viewer, fields), as_drawn(fields))
    except RequestError as error:
        return _again(viewer, fields, error, view)
    return back(path_of(dict(view.conditions)), "view-changed")


async def delete_view(request: web.Request, viewer: Viewer, _: dict[str, str]) -> web.StreamResponse:
    await desk_of(request, viewer, "deleteView").delete(request.match_info["viewId"])
    return back(VIEWS, "view-deleted")


def _draft(viewer: Viewer, fields: Mapping[str, str]) -> Draft:
    """Raises ``InvalidRequest`` for conditions that are none, or cannot be read."""
    conditions = conditions_of(MultiDict(fields))
    if not conditions:
        raise InvalidRequest.of("invalid_filter", "Give a filter, such as status:dead: a view is a filter.", "q")
    filter_from_query(MultiDict(conditions), viewer.now_ms)
    return Draft(fields.get("name", "").strip(), conditions, fields.get("shared") == "true")


def _again(
    viewer: Viewer, fields: Mapping[str, str], error: RequestError, view: SavedView | None = None
) -> web.StreamResponse:
    """The form with what was typed; an error that belongs to no field of it is a page of its own."""
    wrong = wrongs(error)
    if isinstance(error, (NotFound, Refused)) or not wrong.keys() <= {"name", *CONDITIONS}:
        raise error
    shared = fields.get("shared") == "true"
    return _form(viewer, conditions_of(MultiDict(fields)), view, fields, wrong, error.status, shared=shared)


def _form(
    viewer: Viewer,
    conditions: Mapping[str, str],
    view: SavedView | None = None,
    given: Mapping[str, str] | None = None,
    wrong: Mapping[str, str] | None = None,
    status: int = 200,
    *,
    shared: bool = False,
) -> web.Response:
    return viewer.page(
        "view.html",
        status,
        view=view,
        filter_text=conditions.get("q", ""),
        others={name: text for name, text in conditions.items() if name != "q"},
        given=given or {},
        wrong=wrong or {},
        shared=shared,
        may_share=may_share(viewer.caller),
        shared_with=_shared_with(viewer),
        name_chars=MAX_NAME_CHARS,
        leave=path_of(conditions) if conditions else VIEWS,
    )


def _shared_with(viewer: Viewer) -> str:
    """Whoever sees what this viewer shares, in words."""
    caller = viewer.caller
    bounds = (("account", caller.account_id), ("vendor", caller.vendor_id), ("marketplaces", caller.marketplaces))
    bound_to = [name for name, value in bounds if value is not None]
    return f"everybody who is bound to the same {' and '.join(bound_to)}" if bound_to else "everybody who is signed in"
