"""API clients: create, list, change, rotate, disable. A secret is shown in the answer that made it and never again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from aiohttp import hdrs, web

from dispatcher.api.auditing import noting
from dispatcher.api.http.body import JSON, read_body, require_media
from dispatcher.api.http.preconditions import expected
from dispatcher.api.http.respond import json_response
from dispatcher.api.http.route import CALLER, Route
from dispatcher.api.http.validation import validated
from dispatcher.api.rest.client_models import (
    ClientChangeIn,
    ClientIn,
    ClientOut,
    ClientsOut,
    NewClientOut,
)
from dispatcher.api.services import SERVICES
from dispatcher.errors import NotFound, Refused, RequestError, Unprocessable
from dispatcher.model.access import ADMIN_SCOPES, ApiClient, Scope
from dispatcher.model.roles import ROLES, Role, problem_with
from dispatcher.policy.client_rights import excess
from dispatcher.policy.strict_json import read_object
from dispatcher.store.access.clients import ClientChange, ClientStore, hash_secret, new_secret, tag

_ATTRIBUTES = {"rate": "rate_per_s"}
"""Of what is asked for, where a client calls it otherwise."""
_NO_STORE = {"Cache-Control": "no-store"}


async def create_client(request: web.Request) -> web.StreamResponse:
    """201 with the secret. A client can only be given what its creator has."""
    services = request.app[SERVICES]
    require_media(request, JSON)
    asked = validated(ClientIn, read_object(await read_body(request)))
    wanted = ApiClient(
        client_id="",
        secret_hash="",
        scopes=_known(_scopes_of(asked)),
        created_ms=services.now_ms(),
        name=asked.name,
        account_id=asked.account_id,
        vendor_id=asked.vendor_id,
        rate_per_s=asked.rate,
        marketplaces=tuple(asked.marketplaces) if asked.marketplaces is not None else None,
    )
    _within_rights(request, wanted, "You can only give what your own client has")
    client, secret = await _clients(request, "createClient").create(
        wanted.scopes,
        wanted.name,
        wanted.account_id,
        wanted.created_ms,
        vendor_id=wanted.vendor_id,
        rate_per_s=wanted.rate_per_s,
        marketplaces=wanted.marketplaces,
    )
    return json_response(client_json(client) | {"clientSecret": secret}, 201, _NO_STORE | _tagged(client))


async def list_clients(request: web.Request) -> web.StreamResponse:
    return json_response({"data": [client_json(client) for client in await request.app[SERVICES].clients.all()]})


async def get_client(request: web.Request) -> web.StreamResponse:
    """With an ``ETag``, which ``If-Match`` of a change may name."""
    client = await request.app[SERVICES].clients.get(request.match_info["clientId"])
    if client is None:
        raise _no_such_client()
    return json_response(client_json(client), headers=_tagged(client))


async def change_client(request: web.Request) -> web.StreamResponse:
    """Only what is given. New scopes and limits are in force within seconds, for tokens that are out too."""
    require_media(request, JSON)
    asked = validated(ClientChangeIn, read_object(await read_body(request)))
    given = {_ATTRIBUTES.get(name, name): value for name, value in asked.model_dump(exclude_unset=True).items()}
    given.pop("scopes", None)
    if asked.marketplaces is not None:
        given["marketplaces"] = tuple(asked.marketplaces)
    if asked.scopes is not None:
        given["scopes"] = _known(frozenset(asked.scopes))
    client = await _changed(request, "changeClient", lambda client: replace(client, **given))

    return json_response(client_json(client), headers=_tagged(client))


async def rotate_client(request: web.Request) -> web.StreamResponse:
    """A new secret; tokens of the old one are refused within seconds."""
    secret = new_secret()
    digest = hash_secret(secret)
    client = await _changed(request, "rotateClient", lambda client: replace(client, secret_hash=digest))
    return json_response(client_json(client) | {"clientSecret": secret}, headers=_NO_STORE | _tagged(client))


async def disable_client(request: web.Request) -> web.StreamResponse:
    """204; its tokens are refused within seconds."""
    await _changed(request, "disableClient", lambda client: replace(client, disabled=True))
    return web.Response(status=204)


async def _changed(request: web.Request, action: str, change: ClientChange) -> ApiClient:
    """404 when there is no such client, 412 when it is not the one that ``If-Match`` names (RFC 9110 §13.1.1).

    403 unless the caller has every right of the client as it is stored at that moment, and as it becomes.
    """

    def within_rights(before: ApiClient) -> ApiClient:
        _within_rights(request, before, "This client may do more than yours, which can therefore not change it")
        after = change(before)
        _within_rights(request, after, "You can only give what your own client has")
        return after

    with expected(request) as condition:
        client = await _clients(request, action).edit(request.match_info["clientId"], within_rights, condition)
    if client is None:
        raise _no_such_client()
    return client


def _within_rights(request: web.Request, client: ApiClient, rule: str) -> None:
    """Raises ``Refused`` for what the client may do and the caller may not."""
    found = excess(request[CALLER], client, request.app[SERVICES].deployment.client_rate)
    if found:
        raise Refused([replace(one, message=f"{rule}. {one.message}") for one in found])


def _tagged(client: ApiClient) -> dict[str, str]:
    return {hdrs.ETAG: f'"{tag(client)}"'}


def _clients(request: web.Request, action: str) -> ClientStore:
    return request.app[SERVICES].clients.noted(noting(request, action))


def client_json(client: ApiClient) -> dict[str, Any]:
    return {
        "clientId": client.client_id,
        "name": client.name,
        "scopes": sorted(client.scopes),
        "accountId": client.account_id,
        "vendorId": client.vendor_id,
        "rate": client.rate_per_s,
        "marketplaces": list(client.marketplaces) if client.marketplaces is not None else None,
        "disabled": client.disabled,
        "createdOn": client.created_ms,
    }


def _scopes_of(asked: ClientIn) -> frozenset[str]:
    if asked.role is None:
        return frozenset(asked.scopes or ())
    problem = problem_with(
        Role(asked.role), account_id=asked.account_id, vendor_id=asked.vendor_id, marketplaces=asked.marketplaces
    )
    if problem:
        raise Unprocessable.of("invalid_value", f"{problem[0].upper()}{problem[1:]}.", "role")
    return frozenset(scope.value for scope in ROLES[Role(asked.role)].scopes) | frozenset(asked.scopes or ())


def _known(scopes: frozenset[str]) -> frozenset[str]:
    known = frozenset(scope.value for scope in ADMIN_SCOPES)
    unknown = sorted(scopes - known)
    if unknown:
        text = f"There is no scope {unknown[0]!r} for API clients; use {', '.join(sorted(known))}."
        raise Unprocessable.of("unknown_scope", text, "scopes")
    if not scopes:
        raise Unprocessable.of("missing_field", "Give scopes, a role, or both.", "scopes")
    return scopes


def _no_such_client() -> RequestError:
    return NotFound.of("not_found", "There is no such client; list them with GET /v1/clients.")


_ADMIN = (Scope.CLIENTS_ADMIN,)
_ONE = "/v1/clients/{clientId}"
_TAG = "clients"

ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        "/v1/clients",
        create_client,
        _ADMIN,
        "Create an API client",
        body=ClientIn,
        answers={201: NewClientOut},
        tag=_TAG,
    ),
    Route("GET", "/v1/clients", list_clients, _ADMIN, "List API clients", answers={200: ClientsOut}, tag=_TAG),
    Route("GET", _ONE, get_client, _ADMIN, "Look at an API client", answers={200: ClientOut}, tag=_TAG),
    Route(
        "PATCH",
        _ONE,
        change_client,
        _ADMIN,
        "Change its name, scopes or rate",
        body=ClientChangeIn,
        answers={200: ClientOut},
        tag=_TAG,
    ),
    Route("DELETE", _ONE, disable_client, _ADMIN, "Disable an API client", answers={204: None}, tag=_TAG),
    Route(
        "POST", f"{_ONE}/rotate", rotate_client, _ADMIN, "Give it a new secret", answers={200: NewClientOut}, tag=_TAG
    ),
)
