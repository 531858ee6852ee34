"""/v1/integrations: what is installed into accounts. A DIY integration is a name and a readme; others are installed.

An account's token reaches the account's own; a publisher's those of its integrations.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable

from aiohttp import hdrs, web

from dispatcher.api.auditing import noting
from dispatcher.api.http.request.body import JSON, read_body, require_media
from dispatcher.api.http.request.idempotency import REPLAYED, idempotency_key
from dispatcher.api.http.request.query import integer, name_of
from dispatcher.api.http.request.validation import validated
from dispatcher.api.http.response.preconditions import expected, tagged
from dispatcher.api.http.response.respond import json_response
from dispatcher.api.http.route import CALLER, Route
from dispatcher.api.rest.installations.installation_json import (
    asked_from,
    installation_json,
    replacement_from,
    with_next_step,
)
from dispatcher.api.rest.installations.models import CloneIn, IntegrationIn, IntegrationOut, NewIntegrationIn, UpgradeIn
from dispatcher.api.services import SERVICES
from dispatcher.errors import Conflict, Refused, RequestError, Unprocessable
from dispatcher.flow.installations.installer import PAGE
from dispatcher.flow.installations.making.creation import Cloning
from dispatcher.flow.installations.states.transitions import Cause
from dispatcher.ids import new_installation_id
from dispatcher.model.access import Caller, Scope
from dispatcher.model.installation import Installation
from dispatcher.policy.answers.steps import Answered
from dispatcher.policy.strict_json import read_object

Make = Callable[[str], Awaitable[Installation]]


async def call_installer(request: web.Request) -> web.StreamResponse:
    """Ask the product host whether a step is done: 200 with the step that comes next, 422 with the host's words.

    202 when the host will report it later, 504 when it did not answer, 409 when it is not asked because its URL is
    suspended or the integration paused: the step stays open then.
    """
    services, cause = request.app[SERVICES], Cause(noting(request, "callInstaller"))
    installation_id, function = request.match_info["_id"], request.match_info["function"]
    result = await services.installer.check_step(request[CALLER], installation_id, function, cause)
    if result.answer.answered is Answered.REFUSED:
        raise Unprocessable(list(result.answer.problems))
    if result.answer.answered is Answered.HELD:
        raise Conflict(list(result.answer.problems))
    if result.answer.answered is Answered.AWAY:
        raise RequestError(list(result.answer.problems), 504)
    status = 202 if result.answer.answered is Answered.LATER else 200
    one = result.installation
    return json_response(with_next_step(one), status, tagged(one.modified_ms))


async def list_integrations(request: web.Request) -> web.StreamResponse:
    """A plain array, oldest first, 1,000 at most; ``Link: rel="next"`` leads to the rest."""
    services = request.app[SERVICES]
    limit = integer(request.query, "limit", PAGE, 1, PAGE)
    page = await services.installer.list(request[CALLER], name_of(request.query, "after") or "", limit)
    headers: dict[str, str] = {}
    if page.after is not None:
        following = f"{services.deployment.base_url}{_ALL}?after={page.after}&limit={limit}"
        headers[hdrs.LINK] = f'<{following}>; rel="next"'
    return json_response([installation_json(one) for one in page.items], headers=headers)


async def get_integration(request: web.Request) -> web.StreamResponse:
    """With an ``ETag``, which ``If-Match`` of a change may name. Secrets are masked."""
    found = await request.app[SERVICES].installer.get(request[CALLER], request.match_info["_id"])
    return _answer(found)


async def create_integration(request: web.Request) -> web.StreamResponse:
    """201. Its steps come from the published revision; without open steps it is ordered at once."""
    services, caller = request.app[SERVICES], request[CALLER]
    require_media(request, JSON)
    key, raw = idempotency_key(request.headers), await read_body(request)
    body = validated(NewIntegrationIn, read_object(raw))
    _check_new(body)
    asked = asked_from(body, _account_of(body.account_id, caller))
    cause = Cause(noting(request, "createIntegration"))

    async def make(installation_id: str) -> Installation:
        return await services.installer.create(caller, installation_id, asked, cause)

    return await _made_once(request, key, raw, make)


async def clone_integration(request: web.Request) -> web.StreamResponse:
    """201: the same again, with all of its steps open, and an account identifier of its own."""
    services, caller, source_id = request.app[SERVICES], request[CALLER], request.match_info["_id"]
    key, raw = idempotency_key(request.headers), await read_body(request)
    if raw:
        require_media(request, JSON)
    body = validated(CloneIn, read_object(raw) if raw else {})
    cloning = Cloning(body.name, dict(body.connection_map or {}))
    cause = Cause(noting(request, "cloneIntegration"))

    async def make(installation_id: str) -> Installation:
        return await services.installer.clone(caller, source_id, installation_id, cloning, cause)

    return await _made_once(request, key, raw, make)


async def replace_integration(request: web.Request) -> web.StreamResponse:
    """Everything that is left out is gone, but for what the dispatcher keeps. ``mode: uninstall`` begins that.

    With ``erase: true`` beside it, settings and connectors that nothing else uses go as well.
    """
    services, caller = request.app[SERVICES], request[CALLER]
    require_media(request, JSON)
    body = validated(IntegrationIn, read_object(await read_body(request)))
    cause = Cause(noting(request, "changeIntegration"))
    with expected(request) as condition:
        changed = await services.installer.change(
            caller, request.match_info["_id"], replacement_from(body), condition, cause
        )
    return _answer(changed)


async def delete_integration(request: web.Request) -> web.StreamResponse:
    """204, at once: no uninstaller is called. The product host is told that the subscription is cancelled."""
    services, cause = request.app[SERVICES], Cause(noting(request, "deleteIntegration"))
    with expected(request) as condition:
        await services.installer.delete(request[CALLER], request.match_info["_id"], condition, cause)
    return web.Response(status=204)


async def upgrade_integration(request: web.Request) -> web.StreamResponse:
    """Take the revision of ``updateAvailable``, with answers to what is new in its form. New steps are called as usual.

    It is in force when no step is open. Until then the old one goes on, and DELETE of this address goes back to it.
    """
    services, raw = request.app[SERVICES], await read_body(request)
    if raw:
        require_media(request, JSON)
    body = validated(UpgradeIn, read_object(raw) if raw else {})
    cause, installation_id = Cause(noting(request, "upgradeIntegration")), request.match_info["_id"]
    return _answer(await services.installer.upgrade(request[CALLER], installation_id, body.configuration or {}, cause))


async def stay_integration(request: web.Request) -> web.StreamResponse:
    """Back from an update that was begun: settings, answers and steps are as they were."""
    services, cause = request.app[SERVICES], Cause(noting(request, "stayIntegration"))
    return _answer(await services.installer.stay(request[CALLER], request.match_info["_id"], cause))


async def _made_once(request: web.Request, key: str | None, raw: bytes, make: Make) -> web.Response:
    """Under a fresh id, or under the one that the key was bound to before."""
    services, caller = request.app[SERVICES], request[CALLER]
    fresh_id = new_installation_id(services.now_ms())
    if key is None:
        return _answer(await make(fresh_id), 201, _location(request, fresh_id))
    digest = hashlib.sha256(request.path.encode() + b"\n" + raw).hexdigest()
    bound = await services.queue.reserve(caller.key_space, f"integrations\n{key}", digest, fresh_id)
    if bound.body_hash != digest:
        text = "This Idempotency-Key was used with another request: send the same again, or a new key."
        raise Conflict.of("idempotency_conflict", text, "Idempotency-Key")
    location = _location(request, bound.event_id)
    before = None if bound.fresh else await services.installer.find(bound.event_id)
    if before is not None:
        return _answer(before, 201, location | REPLAYED)
    try:
        return _answer(await make(bound.event_id), 201, location)
    except Conflict as error:
        made = await services.installer.find(bound.event_id)
        if made is None or error.problems[0].code != "already_exists":
            raise
        return _answer(made, 201, location | REPLAYED)


def _check_new(body: IntegrationIn) -> None:
    if body.mode not in (None, "install"):
        text = "A new integration begins with mode install: leave it out."
        raise Unprocessable.of("read_only_field", text, "mode")


def _account_of(asked: str | None, caller: Caller) -> str | None:
    """The account that it is installed into; a caller that is bound to one need not name it."""
    if caller.account_id is None or asked in (None, caller.account_id):
        return asked or caller.account_id
    raise Refused.of("account_restricted", "This client may install into its own account only.", "_accountId")


def _location(request: web.Request, installation_id: str) -> dict[str, str]:
    return {hdrs.LOCATION: f"{request.app[SERVICES].deployment.base_url}{_ALL}/{installation_id}"}


def _answer(one: Installation, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    return json_response(installation_json(one), status, tagged(one.modified_ms) | (headers or {}))


_ALL, _ONE = "/v1/integrations", "/v1/integrations/{_id}"
_READ = (Scope.INSTALLATIONS_READ, Scope.INSTALLATIONS_WRITE, Scope.INTEGRATIONS_READ, Scope.INTEGRATIONS_WRITE)
_WRITE = (Scope.INSTALLATIONS_WRITE, Scope.INTEGRATIONS_WRITE)
_TAG = "integrations"

ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        _ALL,
        list_integrations,
        _READ,
        "List integrations",
        None,
        {200: None},
        _TAG,
        vendors=True,
        reads_much=True,
    ),
    Route("GET", _ONE, get_integration, _READ, "Look at an integration", None, {200: IntegrationOut}, _TAG, True, True),
    Route(
        "POST",
        _ALL,
        create_integration,
        _WRITE,
        "Install",
        NewIntegrationIn,
        {201: IntegrationOut},
        _TAG,
        True,
        changes=True,
    ),
    Route(
        "PUT",
        f"{_ONE}/installer/{{function}}",
        call_installer,
        _WRITE,
        "Check whether a step is done",
        None,
        {200: IntegrationOut, 202: IntegrationOut},
        _TAG,
        vendors=True,
    ),
    Route(
        "PUT",
        _ONE,
        replace_integration,
        _WRITE,
        "Change one",
        IntegrationIn,
        {200: IntegrationOut},
        _TAG,
        vendors=True,
        bearers=True,
        changes=True,
    ),
    Route(
        "DELETE", _ONE, delete_integration, _WRITE, "Delete an integration", None, {204: None}, _TAG, True, changes=True
    ),
    Route(
        "POST",
        f"{_ONE}/upgrade",
        upgrade_integration,
        _WRITE,
        "Take a newer revision",
        UpgradeIn,
        {200: IntegrationOut},
        _TAG,
        vendors=True,
        changes=True,
    ),
    Route(
        "DELETE",
        f"{_ONE}/upgrade",
        stay_integration,
        _WRITE,
        "Stay with the revision in force",
        None,
        {200: IntegrationOut},
        _TAG,
        vendors=True,
        changes=True,
    ),
    Route(
        "POST",
        f"{_ONE}/clone",
        clone_integration,
        _WRITE,
        "Clone one",
        CloneIn,
        {201: IntegrationOut},
        _TAG,
        True,
        changes=True,
    ),
)
