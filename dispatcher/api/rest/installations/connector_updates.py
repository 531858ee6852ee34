"""/v1/connectors/{_connectorId}: what a publisher does with all installations of an integration."""

from __future__ import annotations

from typing import Annotated, Any

from aiohttp import hdrs, web
from pydantic import Field

from dispatcher.api.auditing import noting
from dispatcher.api.http.request.body import JSON, read_body, require_media
from dispatcher.api.http.request.query import integer, name_of
from dispatcher.api.http.request.validation import validated
from dispatcher.api.http.response.respond import json_response
from dispatcher.api.http.route import CALLER, Route
from dispatcher.api.rest.models import Name, Wire
from dispatcher.api.services import SERVICES
from dispatcher.clock import iso_ms
from dispatcher.flow.installations.installer import PAGE
from dispatcher.flow.installations.states.transitions import Cause
from dispatcher.flow.installations.updates import MOST
from dispatcher.model.access import Scope
from dispatcher.model.installation import Installation
from dispatcher.policy.strict_json import read_object


class UpdateIn(Wire):
    """Installations that move to the published revision: all of them, or none."""

    integration_ids: Annotated[list[Name], Field(alias="_integrationIds", min_length=1, max_length=MOST)]


class UpdateOut(Wire):
    connector_id: Annotated[str, Field(alias="_connectorId")]
    published_revision: int | None
    integration_ids: Annotated[list[str], Field(alias="_integrationIds")]


async def push_update(request: web.Request) -> web.StreamResponse:
    """Each gets ``updateInProgress: true``, until its owner sets it back with a higher ``version``. Sends nothing."""
    services, connector_id = request.app[SERVICES], request.match_info["_connectorId"]
    require_media(request, JSON)
    asked = validated(UpdateIn, read_object(await read_body(request)))
    cause = Cause(noting(request, "pushUpdate"))
    integration, moved = await services.updates.push(request[CALLER], connector_id, asked.integration_ids, cause)
    return json_response(
        {
            "_connectorId": integration.connector_id,
            "publishedRevision": integration.published_revision,
            "_integrationIds": [one.id for one in moved],
        }
    )


async def get_install_base(request: web.Request) -> web.StreamResponse:
    """A plain array, oldest first, 1,000 at most; ``Link: rel="next"`` leads to the rest."""
    services, connector_id = request.app[SERVICES], request.match_info["_connectorId"]
    limit = integer(request.query, "limit", PAGE, 1, PAGE)
    after = name_of(request.query, "after") or ""
    page = await services.updates.install_base(request[CALLER], connector_id, after, limit)
    headers: dict[str, str] = {}
    if page.after is not None:
        path = f"{services.deployment.base_url}/v1/connectors/{connector_id}/installBase"
        headers[hdrs.LINK] = f'<{path}?after={page.after}&limit={limit}>; rel="next"'
    return json_response([_base_json(one) for one in page.items], headers=headers)


def _base_json(one: Installation) -> dict[str, Any]:
    return {
        "_integrationId": one.id,
        "_accountId": one.account_id,
        "name": one.name,
        "version": one.version,
        "mode": one.mode.value,
        "standing": one.standing.value,
        "updateInProgress": one.update_in_progress,
        "updateSince": iso_ms(one.locked_ms) if one.locked_ms else None,
        "publishedRevision": one.revision,
        "lastModified": iso_ms(one.modified_ms),
    }


_TAG = "integrations"
_WRITE = (Scope.INTEGRATIONS_WRITE,)

ROUTES: tuple[Route, ...] = (
    Route(
        "PUT",
        "/v1/connectors/{_connectorId}/update",
        push_update,
        _WRITE,
        "Push a managed update",
        UpdateIn,
        {200: UpdateOut},
        _TAG,
        vendors=True,
        changes=True,
    ),
    Route(
        "GET",
        "/v1/connectors/{_connectorId}/installBase",
        get_install_base,
        (Scope.INTEGRATIONS_READ, Scope.INTEGRATIONS_WRITE),
        "List who has it installed",
        None,
        {200: None},
        _TAG,
        vendors=True,
        reads_much=True,
    ),
)
