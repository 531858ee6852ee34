"""Connector templates for publishers: create, list, change, delete. Shows no secret."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from pydantic import BaseModel

from dispatcher.api.auditing import noting
from dispatcher.api.http.request.body import JSON, read_body, require_media
from dispatcher.api.http.request.numbers import number_in_path
from dispatcher.api.http.request.validation import validated
from dispatcher.api.http.response.preconditions import expected, tagged
from dispatcher.api.http.response.respond import json_response
from dispatcher.api.http.route import CALLER, Handler, Route
from dispatcher.api.installing import INSTALLING
from dispatcher.api.rest.installations.template_models import TemplateIn, TemplateOut, TemplatesOut
from dispatcher.api.services import SERVICES
from dispatcher.clock import iso_ms
from dispatcher.flow.connectors.templates import OAuthForm, TemplateDesk, TemplateForm
from dispatcher.model.access import Scope
from dispatcher.model.connector import ConnectorAuth, ConnectorTemplate, PropertyRule
from dispatcher.model.deployment import MASK
from dispatcher.policy.installing.marketplace_access import reach_of
from dispatcher.policy.strict_json import read_object
from dispatcher.store.installations.parties.templates import TemplateStore


async def create_template(request: web.Request) -> web.StreamResponse:
    """201. The same name may have several versions."""
    asked = await _asked(request)
    made = await _desk(request, "createConnectorTemplate").create(_form(asked), request.app[SERVICES].now_ms())
    return json_response(template_json(made), 201, tagged(made.modified_ms))


async def list_templates(request: web.Request) -> web.StreamResponse:
    return json_response({"data": [template_json(one) for one in await _store(request).all()]})


async def get_template(request: web.Request) -> web.StreamResponse:
    """With an ``ETag``, which ``If-Match`` of a change may name."""
    found = await _store(request).get(number_in_path(request, "templateId"))
    return json_response(template_json(found), headers=tagged(found.modified_ms))


async def replace_template(request: web.Request) -> web.StreamResponse:
    """Everything that is left out is gone; a masked secret stays. Connectors follow the template at once."""
    asked, template_id = await _asked(request), number_in_path(request, "templateId")
    desk, now_ms = _desk(request, "changeConnectorTemplate"), request.app[SERVICES].now_ms()
    with expected(request) as condition:
        changed = await desk.change(template_id, _form(asked), now_ms, condition)
    return json_response(template_json(changed), headers=tagged(changed.modified_ms))


async def delete_template(request: web.Request) -> web.StreamResponse:
    """204. Connectors that were made from it stay."""
    store = _store(request).noted(noting(request, "deleteConnectorTemplate"))
    with expected(request) as condition:
        await store.delete(number_in_path(request, "templateId"), condition)
    return web.Response(status=204)


def template_json(template: ConnectorTemplate) -> dict[str, Any]:
    oauth = template.oauth
    return {
        "id": template.id,
        "name": template.name,
        "version": template.version,
        "authType": template.auth_type.value if template.auth_type else None,
        "native": template.native,
        "integrationId": template.integration_id,
        "properties": [{"name": one.name, "required": one.required} for one in template.properties],
        "authorizeUri": oauth.authorize_uri if oauth else None,
        "tokenUri": oauth.token_uri if oauth else None,
        "clientId": oauth.client_id if oauth else None,
        "clientSecret": MASK if oauth and oauth.client_secret else None,
        "scope": oauth.scope if oauth else None,
        "vendorId": template.vendor_id,
        "createdAt": iso_ms(template.created_ms),
        "lastModified": iso_ms(template.modified_ms),
    }


async def _asked(request: web.Request) -> TemplateIn:
    require_media(request, JSON)
    return validated(TemplateIn, read_object(await read_body(request)))


def _form(asked: TemplateIn) -> TemplateForm:
    oauth = OAuthForm(asked.authorize_uri, asked.token_uri, asked.client_id, asked.client_secret, asked.scope)
    return TemplateForm(
        asked.name,
        asked.version,
        ConnectorAuth(asked.auth_type) if asked.auth_type else None,
        asked.native,
        asked.integration_id,
        tuple(PropertyRule(one.name, one.required) for one in asked.properties),
        oauth if oauth != OAuthForm() else None,
    )


def _store(request: web.Request) -> TemplateStore:
    return request.app[INSTALLING].templates.within(reach_of(request[CALLER]))


def _desk(request: web.Request, action: str) -> TemplateDesk:
    services = request.app[SERVICES]
    store = _store(request).noted(noting(request, action))
    definitions = services.definitions.of_vendor(request[CALLER].vendor_id)
    return TemplateDesk(store, definitions, services.sealer, services.deployment.url_problem)


_READ = (Scope.INTEGRATIONS_READ, Scope.INTEGRATIONS_WRITE)
_WRITE = (Scope.INTEGRATIONS_WRITE,)
_ALL, _ONE = "/v1/connector-templates", "/v1/connector-templates/{templateId}"
_Row = tuple[str, str, Handler, tuple[Scope, ...], str, type[BaseModel] | None, dict[int, type[BaseModel] | None]]

_ROWS: tuple[_Row, ...] = (
    ("POST", _ALL, create_template, _WRITE, "Create a connector template", TemplateIn, {201: TemplateOut}),
    ("GET", _ALL, list_templates, _READ, "List connector templates", None, {200: TemplatesOut}),
    ("GET", _ONE, get_template, _READ, "Look at a connector template", None, {200: TemplateOut}),
    ("PUT", _ONE, replace_template, _WRITE, "Change a connector template", TemplateIn, {200: TemplateOut}),
    ("DELETE", _ONE, delete_template, _WRITE, "Delete a connector template", None, {204: None}),
)

ROUTES: tuple[Route, ...] = tuple(Route(*row, tag="marketplaces", vendors=True, changes=True) for row in _ROWS)
