"""API clients: create, list, change, rotate, disable. A secret is shown in the answer that made it and never again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
from aiohttp import hdrs, web

from dispatcher.api.auditing import noting
from dispatcher.api.http.request.body import JSON, read_body, require_media
from dispatcher.api.http.request.validation import validated
from dispatcher.api.http.response.preconditions import expected
from dispatcher.api.http.response.respond import json_response
from dispatcher.api.http.route import CALLER, Route
from dispatcher.api.rest.operating.client_json import client_json
from dispatcher.api.rest.operating.client_models import (
    ClientChangeIn,
    ClientIn,
    ClientOut,
    ClientsOut,
    NewClientOut,
    RotationIn,
)
from dispatcher.api.services import SERVICES
from dispatcher.flow.access.clients import ClientDesk, known, no_such_client, public_key_of, scopes_of
from dispatcher.model.access import ApiClient, Scope
from dispatcher.model.roles import Role
from dispatcher.policy.strict_json import read_object
from dispatcher.store.access.clients import tag

_ATTRIBUTES = {"rate": "rate_per_s"}
"""Of what is asked for, where a client calls it otherwise."""
_NO_STORE = {"Cache-Control": "no-store"}


async def create_client(request: web.Request) -> web.StreamResponse:
    """201 with the secret, null with a ``publicKey``. A client can only be given what its creator has."""
    services = request.app[SERVICES]
    require_media(request, JSON)
    asked = validated(ClientIn, read_object(await read_body(request)))
    places = tuple(asked.marketplaces) if asked.marketplaces is not None else None
    role = Role(asked.role) if asked.role is not None else None
    wanted = ApiClient(
        client_id="",
        secret_hash="",
        scopes=scopes_of(
            role, asked.scopes or (), account_id=asked.account_id, vendor_id=asked.vendor_id, marketplaces=places
        ),
        created_ms=services.now_ms(),
        name=asked.name,
        rate_per_s=asked.rate,
        marketplaces=places,
        account_id=asked.account_id,
        vendor_id=asked.vendor_id,
        public_key=_public_key(asked.public_key),
    )
    client, secret = await _desk(request, "createClient").create(wanted)
    return json_response(client_json(client) | {"clientSecret": secret or None}, 201, _NO_STORE | _tagged(client))


async def list_clients(request: web.Request) -> web.StreamResponse:
    return json_response({"data": [client_json(client) for client in await request.app[SERVICES].clients.all()]})


async def get_client(request: web.Request) -> web.StreamResponse:
    """With an ``ETag``, which ``If-Match`` of a change may name."""
    client = await request.app[SERVICES].clients.get(request.match_info["clientId"])
    if client is None:
        raise no_such_client()
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
        given["scopes"] = known(frozenset(asked.scopes))
    with expected(request) as condition:
        client = await _desk(request, "changeClient").change(_id(request), lambda one: replace(one, **given), condition)
    return json_response(client_json(client), headers=_tagged(client))


async def rotate_client(request: web.Request) -> web.StreamResponse:
    """A new secret, or the ``publicKey`` of the body; tokens of the old one are refused within seconds."""
    asked = await _rotation(request)
    key = _public_key(asked.public_key)
    with expected(request) as condition:
        client, secret = await _desk(request, "rotateClient").rotate(_id(request), condition, key)
    return json_response(client_json(client) | {"clientSecret": secret or None}, headers=_NO_STORE | _tagged(client))


async def disable_client(request: web.Request) -> web.StreamResponse:
    """204; its tokens are refused within seconds."""
    with expected(request) as condition:
        await _desk(request, "disableClient").disable(_id(request), condition)
    return web.Response(status=204)


async def _rotation(request: web.Request) -> RotationIn:
    """No body asks for a new secret."""
    raw = await read_body(request)
    if not raw:
        return RotationIn()
    require_media(request, JSON)
    return validated(RotationIn, read_object(raw))


def _public_key(given: str | dict[str, Any] | None) -> str | None:
    """PEM, a JWK as text or a JWK as JSON, as a record keeps it."""
    return public_key_of(orjson.dumps(given).decode() if isinstance(given, dict) else given)


def _id(request: web.Request) -> str:
    return request.match_info["clientId"]


def _tagged(client: ApiClient) -> dict[str, str]:
    return {hdrs.ETAG: f'"{tag(client)}"'}


def _desk(request: web.Request, action: str) -> ClientDesk:
    """Its use cases, as the caller: what it does is noted in the audit log."""
    services = request.app[SERVICES]
    clients = services.clients.noted(noting(request, action))
    return ClientDesk(clients, request[CALLER], services.deployment.client_rate)


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
        changes=True,
    ),
    Route("DELETE", _ONE, disable_client, _ADMIN, "Disable an API client", answers={204: None}, tag=_TAG, changes=True),
    Route(
        "POST",
        f"{_ONE}/rotate",
        rotate_client,
        _ADMIN,
        "Give it a new secret or public key",
        body=RotationIn,
        answers={200: NewClientOut},
        tag=_TAG,
        body_optional=True,
        changes=True,
    ),
)
