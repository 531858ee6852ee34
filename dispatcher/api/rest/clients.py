"""API clients: create, list, rotate, disable. A secret is shown in the answer that made it and never again."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from dispatcher.api.body import JSON, read_body, require_media
from dispatcher.api.respond import json_response
from dispatcher.api.rest.models import ClientIn, ClientOut, ClientsOut, NewClientOut
from dispatcher.api.route import CALLER, Route
from dispatcher.api.services import SERVICES
from dispatcher.api.validation import validated
from dispatcher.errors import NotFound, Refused, RequestError, Unprocessable
from dispatcher.model.access import ADMIN_SCOPES, ApiClient, Caller, Scope, effective
from dispatcher.policy.strict_json import read_object

_NO_STORE = {"Cache-Control": "no-store"}


async def create_client(request: web.Request) -> web.StreamResponse:
    """201 with the secret. A client can only be given scopes that its creator has."""
    services = request.app[SERVICES]
    require_media(request, JSON)
    asked = validated(ClientIn, read_object(await read_body(request)))
    scopes = _grantable(frozenset(asked.scopes), request[CALLER])
    now_ms = int(services.clock() * 1000)
    client, secret = await services.clients.create(scopes, asked.name, asked.account_id, now_ms)
    return json_response(client_json(client) | {"clientSecret": secret}, 201, _NO_STORE)


async def list_clients(request: web.Request) -> web.StreamResponse:
    return json_response({"data": [client_json(client) for client in await request.app[SERVICES].clients.all()]})


async def get_client(request: web.Request) -> web.StreamResponse:
    client = await request.app[SERVICES].clients.get(request.match_info["clientId"])
    if client is None:
        raise _no_such_client()
    return json_response(client_json(client))


async def rotate_client(request: web.Request) -> web.StreamResponse:
    """A new secret; tokens of the old one are refused within seconds."""
    clients, client_id = request.app[SERVICES].clients, request.match_info["clientId"]
    secret = await clients.rotate(client_id)
    client = await clients.get(client_id)
    if secret is None or client is None:
        raise _no_such_client()
    return json_response(client_json(client) | {"clientSecret": secret}, headers=_NO_STORE)


async def disable_client(request: web.Request) -> web.StreamResponse:
    """204; its tokens are refused within seconds."""
    if not await request.app[SERVICES].clients.disable(request.match_info["clientId"]):
        raise _no_such_client()
    return web.Response(status=204)


def client_json(client: ApiClient) -> dict[str, Any]:
    return {
        "clientId": client.client_id,
        "name": client.name,
        "scopes": sorted(client.scopes),
        "accountId": client.account_id,
        "disabled": client.disabled,
        "createdOn": client.created_ms,
    }


def _grantable(scopes: frozenset[str], caller: Caller) -> frozenset[str]:
    known = frozenset(scope.value for scope in ADMIN_SCOPES)
    unknown = sorted(scopes - known)
    if unknown:
        text = f"There is no scope {unknown[0]!r} for API clients; use {', '.join(sorted(known))}."
        raise Unprocessable.of("unknown_scope", text, "scopes")
    if not effective(scopes) <= caller.scopes:
        raise Refused.of("scope_not_yours", "You can only give scopes that your own token has.", "scopes")
    return scopes


def _no_such_client() -> RequestError:
    return NotFound.of("not_found", "There is no such client; list them with GET /v1/clients.")


_ADMIN = (Scope.CLIENTS_ADMIN,)
_ONE = "/v1/clients/{clientId}"

ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        "/v1/clients",
        create_client,
        _ADMIN,
        "Create an API client",
        body=ClientIn,
        answers={201: NewClientOut},
        tag="clients",
    ),
    Route("GET", "/v1/clients", list_clients, _ADMIN, "List API clients", answers={200: ClientsOut}, tag="clients"),
    Route("GET", _ONE, get_client, _ADMIN, "Look at an API client", answers={200: ClientOut}, tag="clients"),
    Route("DELETE", _ONE, disable_client, _ADMIN, "Disable an API client", answers={204: None}, tag="clients"),
    Route(
        "POST",
        f"{_ONE}/rotate",
        rotate_client,
        _ADMIN,
        "Give it a new secret",
        answers={200: NewClientOut},
        tag="clients",
    ),
)
