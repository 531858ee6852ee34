"""The OpenAPI 3.1 document, generated from the route table and the models. Describes; never handles."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from functools import cache
from typing import Any

import orjson
from aiohttp import hdrs, web
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

import dispatcher
from dispatcher.api.http.parameters import MEDIA, OAUTH_FORMS, PARAMETERS
from dispatcher.api.http.respond import json_response
from dispatcher.api.http.route import Route
from dispatcher.api.rest.models import ErrorsOut
from dispatcher.model.access import Scope

_REF = "#/components/schemas/{model}"
_PATH_PARAMETER = re.compile(r"{(\w+)}")
_ERROR = {
    "description": "An error; `errors` says what to do next",
    "content": {"application/json": {"schema": {"$ref": _REF.format(model="ErrorsOut")}}},
}
_JSON: dict[str, Any] = {"application/json": {"schema": {}}}

Document = dict[str, Any]
DOCUMENT: web.AppKey[Document] = web.AppKey("openapi", dict)


def build_document(routes: Sequence[Route], base_url: str) -> Document:
    """The whole document; every route is in it."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Marketplace dispatcher",
            "version": dispatcher.__version__,
            "license": {"name": "Apache-2.0"},
        },
        "servers": [{"url": base_url}],
        "paths": paths,
        "components": {"schemas": _schemas(routes), "securitySchemes": {"oauth2": _security(base_url)}},
    }


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": _operation_id(route),
        "summary": route.summary,
        "description": (route.handler.__doc__ or "").strip(),
        "tags": [route.tag],
        "parameters": [*_path_parameters(route), *PARAMETERS.get((route.method, route.path), ())],
        "responses": _responses(route),
    }
    body = _request_body(route)
    if body:
        operation["requestBody"] = body
    if route.scopes is not None:
        operation["security"] = [{"oauth2": [scope.value]} for scope in route.scopes]
    return {name: value for name, value in operation.items() if value}


def _operation_id(route: Route) -> str:
    words = re.findall(r"[A-Za-z0-9]+", f"{route.method.lower()} {route.path}")
    first: str = words[0]
    return first + "".join(word[:1].upper() + word[1:] for word in words[1:])


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    names = _PATH_PARAMETER.findall(route.path)
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]


def _request_body(route: Route) -> dict[str, Any] | None:
    if route.body is not None:
        taken = {"application/json": route.body, **route.other_bodies}
        content = {media: {"schema": _ref(model)} for media, model in taken.items()}
        return {"required": not route.body_optional, "content": content}
    form = OAUTH_FORMS.get(route.path)
    if form:
        return {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": form}}}
    media = MEDIA.get((route.method, route.path))
    return {"required": True, "content": media} if media else None


def _responses(route: Route) -> dict[str, Any]:
    answers = {str(status): _answer(model) for status, model in route.answers.items()} or {"200": {"description": "OK"}}
    errors = {"default": _ERROR if _speaks_rest(route) else {"description": "An error", "content": _JSON}}
    return answers | errors


def _speaks_rest(route: Route) -> bool:
    return route.path.startswith(("/v1/", "/api/"))


def _answer(model: type[BaseModel] | None) -> dict[str, Any]:
    if model is None:
        return {"description": "Done"}
    return {"description": "Done", "content": {"application/json": {"schema": _ref(model)}}}


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": _REF.format(model=model.__name__)}


def _schemas(routes: Sequence[Route]) -> dict[str, Any]:
    bodies = {route.body for route in routes if route.body}
    bodies |= {model for route in routes for model in route.other_bodies.values()}
    answers = {model for route in routes for model in route.answers.values() if model} | {ErrorsOut}
    wanted: list[tuple[type[BaseModel], Any]] = [(model, "validation") for model in sorted(bodies, key=_name)]
    wanted += [(model, "serialization") for model in sorted(answers - bodies, key=_name)]
    return _definitions(tuple(wanted))


@cache
def _definitions(wanted: tuple[tuple[type[BaseModel], Any], ...]) -> dict[str, Any]:
    """Made once in a process: the same models have the same schemas, and making them takes a while."""
    _, definitions = models_json_schema(wanted, by_alias=True, ref_template=_REF)
    schemas: dict[str, Any] = definitions["$defs"]
    return schemas


def _name(model: type[BaseModel]) -> str:
    return model.__name__


def _security(base_url: str) -> dict[str, Any]:
    scopes = {scope.value: scope.name.replace("_", " ").capitalize() for scope in Scope}
    return {
        "type": "oauth2",
        "flows": {"clientCredentials": {"tokenUrl": f"{base_url}/oauth2/token", "scopes": scopes}},
    }


async def openapi(request: web.Request) -> web.StreamResponse:
    """With an ``ETag``, so that it is sent again only where it has changed."""
    tag = hashlib.sha256(orjson.dumps(request.app[DOCUMENT], option=orjson.OPT_NON_STR_KEYS)).hexdigest()[:16]
    return json_response(request.app[DOCUMENT], headers={"Cache-Control": "no-cache", hdrs.ETAG: f'"{tag}"'})


def as_text(document: Document) -> str:
    """For files and people: indented, in the order of the route table."""
    return orjson.dumps(document, option=orjson.OPT_INDENT_2).decode()


ROUTES: tuple[Route, ...] = (Route("GET", "/openapi.json", openapi, None, "This document", tag="documentation"),)
