"""Connector templates: kinds of connectors that accounts install, and the switch that makes one native."""

from __future__ import annotations

from aiohttp import web

from dispatcher.api.auditing import noting
from dispatcher.api.http.request.known_parameters import refuse_unheeded
from dispatcher.console.customers.reach import number, template_desk, templates_of
from dispatcher.console.frame.navigation import HOME
from dispatcher.console.frame.sentences import back, said
from dispatcher.console.frame.viewer import Viewer
from dispatcher.errors import RequestError
from dispatcher.flow.connectors.templates import TemplateForm
from dispatcher.model.access import Scope
from dispatcher.model.connector import ConnectorAuth
from dispatcher.pages.forms import wrongs

TEMPLATES = f"{HOME}/connector-templates"
KINDS = tuple(kind for kind in ConnectorAuth if kind is not ConnectorAuth.OAUTH2)
"""Kinds that the form makes; a template with an authorization of its own has more to say, through the API."""


async def show_templates(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    refuse_unheeded(request, {"said": False})
    return await _page(request, viewer)


async def switch_native(request: web.Request, viewer: Viewer, fields: dict[str, str]) -> web.StreamResponse:
    """Connectors of the template follow at once."""
    template_id = number(request.match_info["templateId"], "templateId")
    native = fields.get("native") == "true"
    desk = template_desk(request, viewer, noting(request, "changeConnectorTemplate"))
    await desk.mark_native(template_id, native, viewer.now_ms)
    return back(TEMPLATES, "native" if native else "standard")


async def create_template(request: web.Request, viewer: Viewer, fields: dict[str, str]) -> web.StreamResponse:
    """The page again with what is wrong beside each field."""
    try:
        form = TemplateForm(
            fields.get("name", "").strip(),
            fields.get("version", "").strip() or "1.0",
            next((kind for kind in KINDS if kind.value == fields.get("authType")), None),
            fields.get("native") == "true",
            fields.get("integrationId", "").strip() or None,
        )
        desk = template_desk(request, viewer, noting(request, "createConnectorTemplate"))
        await desk.create(form, viewer.now_ms)
    except RequestError as error:
        return await _page(request, viewer, fields, wrongs(error), error.status)
    return back(TEMPLATES, "made")


async def _page(
    request: web.Request,
    viewer: Viewer,
    given: dict[str, str] | None = None,
    wrong: dict[str, str] | None = None,
    status: int = 200,
) -> web.Response:
    found = await templates_of(request, viewer).all()
    return viewer.page(
        "customers/templates.html",
        status,
        templates=found,
        names=await viewer.names([one.integration_id for one in found if one.integration_id]),
        edits=viewer.caller.may(Scope.INTEGRATIONS_WRITE),
        kinds=[kind.value for kind in KINDS],
        given=given or {},
        wrong=wrong or {},
        said=said(request),
    )
