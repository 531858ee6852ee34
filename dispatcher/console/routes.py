"""Every address of the console in one table, and how an application gets them."""

from __future__ import annotations

from aiohttp import web

from dispatcher.api.http.response.middleware import ERROR_PAGES
from dispatcher.api.http.route import Handler
from dispatcher.api.services import SERVICES
from dispatcher.console.administration.bounds import fleet_wide, fleet_wide_act
from dispatcher.console.administration.routes import ROUTES as ADMINISTRATION
from dispatcher.console.bulk.jobs import show_job, show_jobs, stop_job
from dispatcher.console.bulk.preview import JOBS, confirm, show_preview
from dispatcher.console.customers.routes import ROUTES as CUSTOMERS
from dispatcher.console.events.acting import deliver_event_now, redeliver_event, resolve_event, show_body
from dispatcher.console.events.listing import show_events, to_dead_letters
from dispatcher.console.events.page import show_event
from dispatcher.console.events.saved_views import SAVED_VIEWS, VIEWS
from dispatcher.console.events.view_pages import (
    change_view,
    delete_view,
    save_view,
    show_new_view,
    show_view,
    show_views,
)
from dispatcher.console.frame.navigation import HOME
from dispatcher.console.frame.problems import problem_page, show_nothing
from dispatcher.console.frame.rendering import SCRIPT
from dispatcher.console.frame.screen import EVENTS, SHOWN_TO, SIGN_IN, action, redirect, screen
from dispatcher.console.integrations.routes import ROUTES as INTEGRATIONS
from dispatcher.console.oidc.routes import mount_oidc
from dispatcher.console.operating.acknowledging import acknowledge
from dispatcher.console.operating.issues import ISSUES, acknowledge_issue, show_issues
from dispatcher.console.operating.lanes import LANE, pause_lane, resume_lane, show_pause
from dispatcher.console.operating.overview import show_home
from dispatcher.console.operating.pauses import (
    PAUSES,
    TYPE,
    pause_everything,
    pause_type,
    resume_everything,
    resume_type,
    show_pause_everything,
    show_pauses,
    show_resume_everything,
    show_type_pause,
)
from dispatcher.console.operating.workers import WORKERS, show_workers
from dispatcher.console.sessions.page import SESSIONS, end_other_sessions, end_session, show_sessions
from dispatcher.console.sessions.signing_in import show_form, sign_in, sign_out
from dispatcher.console.signed_in.noting import CONSOLE_SESSIONS
from dispatcher.console.signed_in.provider import Oidc
from dispatcher.model.access import Scope
from dispatcher.pages.assets import mount_assets
from dispatcher.pages.rendering import ICON, STYLE_SHEET
from dispatcher.store.access.console_sessions import ConsoleSessionStore
from dispatcher.store.access.saved_views import SavedViewStore

EVENT = f"{EVENTS}/{{id}}"


async def to_console(_: web.Request) -> web.StreamResponse:
    return redirect(HOME)


async def to_favicon(_: web.Request) -> web.StreamResponse:
    """For browsers that ask for it unasked, on answers that are no page."""
    return redirect(ICON.path)


ROUTES: tuple[tuple[str, str, Handler], ...] = (
    ("GET", "/", to_console),
    ("GET", f"{HOME}/", to_console),
    ("GET", "/favicon.ico", to_favicon),
    ("GET", HOME, screen(show_home, *SHOWN_TO)),
    ("GET", EVENTS, screen(show_events, Scope.EVENTS_READ)),
    ("GET", EVENT, screen(show_event, Scope.EVENTS_READ)),
    ("POST", f"{EVENT}/deliver-now", action(deliver_event_now, Scope.OPS_WRITE)),
    ("POST", f"{EVENT}/redeliver", action(redeliver_event, Scope.EVENTS_WRITE)),
    ("POST", f"{EVENT}/resolve", action(resolve_event, Scope.EVENTS_WRITE)),
    ("POST", f"{EVENT}/body", action(show_body, Scope.EVENTS_WRITE, Scope.OPS_WRITE)),
    ("GET", f"{HOME}/dead-letters", screen(to_dead_letters, Scope.EVENTS_READ)),
    ("GET", VIEWS, screen(show_views, Scope.EVENTS_READ)),
    ("POST", VIEWS, action(save_view, Scope.EVENTS_READ)),
    ("GET", f"{VIEWS}/new", screen(show_new_view, Scope.EVENTS_READ)),
    ("GET", f"{VIEWS}/{{viewId}}", screen(show_view, Scope.EVENTS_READ)),
    ("POST", f"{VIEWS}/{{viewId}}", action(change_view, Scope.EVENTS_READ)),
    ("POST", f"{VIEWS}/{{viewId}}/delete", action(delete_view, Scope.EVENTS_READ)),
    ("GET", ISSUES, screen(show_issues, Scope.OPS_READ)),
    ("POST", f"{ISSUES}/{{issueId}}/acknowledge", action(acknowledge_issue, Scope.OPS_WRITE)),
    ("GET", JOBS, screen(show_jobs, Scope.OPS_READ, Scope.OPS_WRITE)),
    ("POST", f"{JOBS}/preview", action(show_preview, Scope.OPS_WRITE)),
    ("POST", JOBS, action(confirm, Scope.OPS_WRITE)),
    ("GET", f"{JOBS}/{{id}}", screen(show_job, Scope.OPS_READ, Scope.OPS_WRITE)),
    ("POST", f"{JOBS}/{{id}}/stop", action(stop_job, Scope.OPS_WRITE)),
    ("GET", WORKERS, screen(show_workers, Scope.OPS_READ)),
    ("GET", f"{LANE}/pause", screen(show_pause, Scope.OPS_WRITE)),
    ("POST", f"{LANE}/pause", action(pause_lane, Scope.OPS_WRITE)),
    ("POST", f"{LANE}/resume", action(resume_lane, Scope.OPS_WRITE)),
    ("GET", PAUSES, screen(fleet_wide(show_pauses), Scope.OPS_READ)),
    ("GET", f"{PAUSES}/all/pause", screen(fleet_wide(show_pause_everything), Scope.OPS_WRITE)),
    ("POST", f"{PAUSES}/all/pause", action(fleet_wide_act(pause_everything), Scope.OPS_WRITE)),
    ("GET", f"{PAUSES}/all/resume", screen(fleet_wide(show_resume_everything), Scope.OPS_WRITE)),
    ("POST", f"{PAUSES}/all/resume", action(fleet_wide_act(resume_everything), Scope.OPS_WRITE)),
    ("GET", f"{TYPE}/pause", screen(fleet_wide(show_type_pause), Scope.OPS_WRITE)),
    ("POST", f"{TYPE}/pause", action(fleet_wide_act(pause_type), Scope.OPS_WRITE)),
    ("POST", f"{TYPE}/resume", action(fleet_wide_act(resume_type), Scope.OPS_WRITE)),
    ("POST", f"{HOME}/problems/{{problemId}}/acknowledge", action(acknowledge, Scope.OPS_WRITE)),
    *INTEGRATIONS,
    *CUSTOMERS,
    *ADMINISTRATION,
    ("GET", SESSIONS, screen(show_sessions, *SHOWN_TO)),
    ("POST", f"{SESSIONS}/end-others", action(end_other_sessions, *SHOWN_TO)),
    ("POST", f"{SESSIONS}/{{sessionId}}/end", action(end_session, *SHOWN_TO)),
    ("GET", SIGN_IN, show_form),
    ("POST", SIGN_IN, sign_in),
    ("POST", f"{HOME}/sign-out", sign_out),
    ("GET", f"{HOME}/{{nowhere:.*}}", show_nothing),
)


def mount_console(app: web.Application, oidc: Oidc | None = None) -> None:
    """Add the console to the API's application. ``oidc``: where people sign in who have no API client."""
    app[ERROR_PAGES].append((HOME, problem_page))
    app[CONSOLE_SESSIONS] = ConsoleSessionStore(app[SERVICES].audit.redis)
    app[SAVED_VIEWS] = SavedViewStore(app[SERVICES].audit.redis)
    mount_assets(app, STYLE_SHEET, ICON, SCRIPT)
    if oidc is not None:
        mount_oidc(app, oidc)
    for method, path, handler in ROUTES:
        app.router.add_route(method, path, handler)
        if method == "GET":
            app.router.add_route("HEAD", path, handler)
