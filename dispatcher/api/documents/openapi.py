"""The OpenAPI 3.1 document, generated from the route table and the models. Describes; never handles."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cache, cached_property
from inspect import cleandoc
from typing import Any

import orjson
from aiohttp import hdrs, web
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

import dispatcher
from dispatcher.api.documents.answers import answers_of, error_forms, is_tagged
from dispatcher.api.documents.attribute_docs import describe_properties
from dispatcher.api.documents.naming import operation_id
from dispatcher.api.documents.wording import described, example, typed, worded
from dispatcher.api.http.request.parameters import MEDIA, OAUTH_FORMS, PARAMETERS
from dispatcher.api.http.response.respond import json_response
from dispatcher.api.http.route import Route
from dispatcher.api.rest.models import ErrorsOut
from dispatcher.model.access import Scope

_REF = "#/components/schemas/{model}"
_PATH_PARAMETER = re.compile(r"{(\w+)}")
Document = dict[str, Any]


@dataclass(frozen=True)
class Described:
    """The document of ``routes``, made when it is asked for first: no start waits for it."""

    routes: Sequence[Route]
    base_url: str

    @cached_property
    def document(self) -> Document:
        return build_document(self.routes, self.base_url)


DESCRIBED = web.AppKey("openapi", Described)


def build_document(routes: Sequence[Route], base_url: str) -> Document:
    """The whole document; every route is in it."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    schemas = _schemas(routes)
    for item in paths.values():
        _show_examples(item, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Marketplace dispatcher",
            "version": dispatcher.__version__,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": base_url}],
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": {"oauth2": _security(base_url)}},
    }


def _show_examples(item: dict[str, Any], schemas: dict[str, Any]) -> None:
    """One of each body and answer that has a model."""
    for operation in item.values():
        for held in (operation.get("requestBody", {}), *operation["responses"].values()):
            for media in held.get("content", {}).values():
                made = None if "example" in media else example(media["schema"], schemas)
                if made is not None and not isinstance(made, str):
                    media["example"] = made


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": operation_id(route),
        "summary": route.summary,
        "description": cleandoc(route.handler.__doc__ or f"{route.summary}."),
        "tags": [route.tag],
        "parameters": _parameters(route),
        "responses": answers_of(route, _ref),
    }
    body = _request_body(route)
    if body:
        operation["requestBody"] = body
    operation = {name: value for name, value in operation.items() if value}
    return operation | {"security": _needed(route)}


def _needed(route: Route) -> list[dict[str, list[str]]]:
    """None for what is public, and an empty one beside others for what is public in part."""
    scopes = route.scopes or (route.asking[1] if route.asking else ())
    return [*([{}] if route.asking else []), *({"oauth2": [scope.value]} for scope in scopes)]


def _parameters(route: Route) -> list[dict[str, Any]]:
    given = deepcopy([*_path_parameters(route), *PARAMETERS.get((route.method, route.path), ())])
    if route.method == "GET" and is_tagged(route):
        text = "ETags that the asker has: 304 if it is one of them"
        given.append({"name": "If-None-Match", "in": "header", "schema": {"type": "string"}, "description": text})
    typed(given)
    return given


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    names = _PATH_PARAMETER.findall(route.path)
    held = {"in": "path", "required": True, "schema": {"type": "string"}}
    return [{"name": name, **held, "description": described(name) or "Which one"} for name in names]


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
    describe_properties(schemas)
    return worded(schemas | error_forms())


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
    document = request.app[DESCRIBED].document
    tag = hashlib.sha256(orjson.dumps(document, option=orjson.OPT_NON_STR_KEYS)).hexdigest()[:16]
    return json_response(document, headers={"Cache-Control": "no-cache", hdrs.ETAG: f'"{tag}"'})


def as_text(document: Document) -> str:
    """For files and people: indented, in the order of the route table."""
    return orjson.dumps(document, option=orjson.OPT_INDENT_2).decode()


ROUTES: tuple[Route, ...] = (Route("GET", "/openapi.json", openapi, None, "This document", tag="documentation"),)
