"""/v1/definitions: publishers' integrations for scripts, with the fields that GraphQL has."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from aiohttp import hdrs, web
from pydantic import BaseModel

from dispatcher.api.auditing import noting
from dispatcher.api.http.request.body import JSON, read_body, require_media
from dispatcher.api.http.request.query import integer, invalid_parameter, truth
from dispatcher.api.http.request.validation import validated
from dispatcher.api.http.response.preconditions import expected, tagged
from dispatcher.api.http.response.respond import json_response
from dispatcher.api.http.route import CALLER, Handler, Route
from dispatcher.api.rest.definitions.models import (
    CreatedDefinitionOut,
    DefinitionIn,
    DefinitionOut,
    DefinitionsOut,
    LinkedOut,
    LinkIn,
    SavedDefinitionOut,
)
from dispatcher.api.services import SERVICES
from dispatcher.clock import iso_ms
from dispatcher.errors import NotFound, Unprocessable
from dispatcher.flow.integrations.fields.table import INTEGRATION
from dispatcher.flow.publishing.desk import Drafted, IntegrationDesk, Linked
from dispatcher.model.access import Scope
from dispatcher.model.integration import WORKING, Integration, Revision
from dispatcher.policy.strict_json import read_object
from dispatcher.store.definitions.editing import Definitions

MAX_PAGE = 200
_VERSIONS = ("WORKING", "PUBLISHED")


async def create_definition(request: web.Request) -> web.StreamResponse:
    """201 with the secret that signs notifications, which is shown only here. None of the URLs is contacted."""
    drafted = await _desk(request, "createProductIntegration").create(await _document(request))
    headers = {hdrs.LOCATION: f"{_ALL}/{drafted.integration.id}", hdrs.CACHE_CONTROL: "no-store"}
    body = _saved_json(drafted) | {"signingSecret": drafted.signing_secret}
    return json_response(body, 201, headers | tagged(drafted.integration.modified_ms))


async def list_definitions(request: web.Request) -> web.StreamResponse:
    """WORKING versions, oldest first."""
    limit = integer(request.query, "limit", MAX_PAGE, 1, MAX_PAGE)
    page = await _definitions(request).integrations(request.query.get("cursor"), limit)
    data = [definition_json(one, one.working) for one in page.items]
    return json_response({"data": data, "nextCursor": page.next_cursor})


async def get_definition(request: web.Request) -> web.StreamResponse:
    """By UUID, appMarketId or connectorId, with an ``ETag`` that ``If-Match`` of a change may name."""
    version = request.query.get("version", "WORKING").upper()
    if version not in _VERSIONS:
        raise invalid_parameter("version", f"Give {' or '.join(_VERSIONS)}.")
    definitions = _definitions(request)
    found = await definitions.needed(request.match_info["id"])
    revision = found.working
    if version == "PUBLISHED":
        revision = await _published(definitions, found)
    return json_response(definition_json(found, revision), headers=tagged(found.modified_ms))


async def change_definition(request: web.Request) -> web.StreamResponse:
    """Fields that are left out stay as they are; what is published stays too."""
    changes, desk = await _document(request), _desk(request, "updateProductIntegration")
    with expected(request) as condition:
        drafted = await desk.change(request.match_info["id"], changes, condition)
    return json_response(_saved_json(drafted), headers=tagged(drafted.integration.modified_ms))


async def delete_definition(request: web.Request) -> web.StreamResponse:
    """204. 409 while a product is linked to it, or events of it wait, unless ``discardWaitingEvents=true``."""
    discard = truth(request.query, "discardWaitingEvents")
    desk = _desk(request, "deleteProductIntegration")
    with expected(request) as condition:
        await desk.delete(request.match_info["id"], condition, discard_waiting=discard)
    return web.Response(status=204)


async def publish_definition(request: web.Request) -> web.StreamResponse:
    """The published version, which new events use from now on."""
    desk = _desk(request, "publishProductIntegration")
    with expected(request) as condition:
        done = await desk.publish(request.match_info["id"], condition)
    shown = definition_json(done.integration, done.revision or done.integration.working)
    return json_response(shown, headers=tagged(done.integration.modified_ms))


async def link_product(request: web.Request) -> web.StreamResponse:
    """Whichever integration heard of the product before hears of it no more."""
    asked = await _link(request)
    desk = _desk(request, "linkProductIntegration")
    return _linked_response(await desk.link(asked, request.match_info["id"]))


async def unlink_product(request: web.Request) -> web.StreamResponse:
    """409 when the product is not linked to this integration."""
    asked = await _link(request)
    desk = _desk(request, "unlinkProductIntegration")
    return _linked_response(await desk.unlink(asked, request.match_info["id"]))


def definition_json(integration: Integration, shown: Revision) -> dict[str, Any]:
    """One version of an integration; secrets are masked."""
    is_working = shown.number == WORKING
    identity = {
        "id": integration.id,
        "appMarketId": integration.app_market_id,
        "connectorId": integration.connector_id,
        "version": "WORKING" if is_working else "PUBLISHED",
        "revision": None if is_working else shown.number,
        "publishedRevision": integration.published_revision,
        "publishedOn": None if is_working else iso_ms(shown.created_ms),
        "publishedBy": shown.created_by or None,
        "createdOn": iso_ms(integration.created_ms),
        "lastModified": iso_ms(integration.modified_ms),
        "linkedProducts": list(integration.linked_products),
        "uiReadOnly": integration.ui_read_only,
    }
    fields: dict[str, Any] = INTEGRATION.shown(replace(integration, working=shown))
    return identity | fields


async def _published(definitions: Definitions, integration: Integration) -> Revision:
    number = integration.published_revision
    revision = await definitions.revision(integration.id, number) if number else None
    if revision is None:
        raise NotFound.of("not_published", "Nothing of it is published yet: publish it first.", "version")
    return revision


def _saved_json(drafted: Drafted) -> dict[str, Any]:
    integration = drafted.integration
    return {"definition": definition_json(integration, integration.working), "warnings": drafted.warnings}


def _linked_response(linked: Linked) -> web.Response:
    return json_response(
        {
            "productId": linked.product.id,
            "integrationId": linked.product.integration_id,
            "formerIntegrationId": linked.former,
            "warnings": linked.warnings,
        }
    )


async def _object(request: web.Request) -> dict[str, Any]:
    require_media(request, JSON)
    return read_object(await read_body(request))


async def _document(request: web.Request) -> dict[str, Any]:
    """422 with every field that is unknown or of another type, before anything is looked up."""
    document = await _object(request)
    if misfits := list(INTEGRATION.misfits(document, "")):
        raise Unprocessable(misfits)
    return document


async def _link(request: web.Request) -> str:
    return validated(LinkIn, await _object(request)).product_id


def _definitions(request: web.Request) -> Definitions:
    return request.app[SERVICES].definitions.of_vendor(request[CALLER].vendor_id)


def _desk(request: web.Request, action: str) -> IntegrationDesk:
    services = request.app[SERVICES]
    definitions = _definitions(request).noted(noting(request, action))
    client_id, now_ms = request[CALLER].client_id, services.now_ms()
    return IntegrationDesk(definitions, services.editor, services.queue, services.notify, client_id, now_ms)


_READ = (Scope.INTEGRATIONS_READ, Scope.INTEGRATIONS_WRITE)
_WRITE = (Scope.INTEGRATIONS_WRITE,)
_ALL, _ONE = "/v1/definitions", "/v1/definitions/{id}"

_Row = tuple[str, str, Handler, tuple[Scope, ...], str, type[BaseModel] | None, dict[int, type[BaseModel] | None]]

_ROWS: tuple[_Row, ...] = (
    ("POST", _ALL, create_definition, _WRITE, "Define an integration", DefinitionIn, {201: CreatedDefinitionOut}),
    ("GET", _ALL, list_definitions, _READ, "List definitions", None, {200: DefinitionsOut}),
    ("GET", _ONE, get_definition, _READ, "Look at a definition", None, {200: DefinitionOut}),
    ("PATCH", _ONE, change_definition, _WRITE, "Change a definition", DefinitionIn, {200: SavedDefinitionOut}),
    ("DELETE", _ONE, delete_definition, _WRITE, "Delete a definition", None, {204: None}),
    ("POST", f"{_ONE}/publish", publish_definition, _WRITE, "Publish a definition", None, {200: DefinitionOut}),
    ("POST", f"{_ONE}/link", link_product, _WRITE, "Link a product", LinkIn, {200: LinkedOut}),
    ("POST", f"{_ONE}/unlink", unlink_product, _WRITE, "Unlink a product", LinkIn, {200: LinkedOut}),
)

ROUTES: tuple[Route, ...] = tuple(Route(*row, tag="definitions", vendors=True, changes=True) for row in _ROWS)
