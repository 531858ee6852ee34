"""``/graphql``: reads the request, checks what its caller may do, runs it. Business rules live in the use cases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import strawberry
from aiohttp import web
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types.graphql import OperationType

from dispatcher.api.graphql.context import context_of
from dispatcher.api.graphql.page import CONTENT_SECURITY_POLICY, graphiql_page
from dispatcher.api.graphql.result import body_of, status_of
from dispatcher.api.graphql.schema import build_schema
from dispatcher.api.http.body import JSON, read_body, require_media
from dispatcher.api.http.respond import json_response
from dispatcher.api.http.route import CALLER, ENDS_WITH_CALLER, Route
from dispatcher.api.http.turns import take_turn
from dispatcher.errors import InvalidRequest, Refused
from dispatcher.model.access import Caller, Scope
from dispatcher.policy.strict_json import read_json

_NO_STORE = {"Cache-Control": "no-store"}
"""Some answers hold a secret that is shown once."""

_FIELDS: dict[str, type | tuple[type, ...]] = {
    "query": str,
    "variables": (dict, type(None)),
    "operationName": (str, type(None)),
    "extensions": (dict, type(None)),
}


@dataclass(frozen=True, slots=True)
class _Query:
    text: str
    variables: dict[str, Any] | None
    operation_name: str | None


class GraphQL:
    """The handlers of one schema."""

    def __init__(self, schema: strawberry.Schema) -> None:
        self._schema = schema
        self._sdl = schema.as_str()

    async def execute(self, request: web.Request) -> web.Response:
        """One query or mutation. 403 for a mutation by a client that may only read."""
        query = _read(_object(await _body(request)))
        caller = request[CALLER]
        if "mutation" not in query.text:
            request[ENDS_WITH_CALLER] = True
            await take_turn(request, caller)
        try:
            result = await self._schema.execute(
                query.text,
                variable_values=query.variables,
                operation_name=query.operation_name,
                context_value=context_of(request, query.operation_name),
                allowed_operation_types=_allowed(caller),
            )
        except CannotGetOperationTypeError as error:
            text = f"{error.as_http_error_reason()}; name one of the document's operations."
            raise InvalidRequest.of("unknown_operation", text, "operationName") from None
        except InvalidOperationTypeError as error:
            if error.operation_type is OperationType.SUBSCRIPTION:
                text = "There are queries and mutations here; GET /v1/events/stream tells of changes."
                raise InvalidRequest.of("unknown_operation", text, "query") from None
            raise _may_not_write(caller) from None
        return json_response(body_of(result), status_of(result), _NO_STORE)

    async def page(self, request: web.Request) -> web.Response:
        headers = {"Content-Security-Policy": CONTENT_SECURITY_POLICY, "X-Content-Type-Options": "nosniff"}
        return web.Response(text=graphiql_page(self._sdl), content_type="text/html", headers=headers)

    async def sdl(self, request: web.Request) -> web.Response:
        return web.Response(text=self._sdl, content_type="text/plain")


def _object(raw: bytes) -> dict[str, Any]:
    """400 for whatever is no JSON object, as GraphQL over HTTP has it."""
    value = read_json(raw)
    if not isinstance(value, dict):
        raise InvalidRequest.of("not_an_object", "Send one JSON object with query, variables and operationName.")
    return value


def graphql_routes(*, introspection: bool = True) -> list[Route]:
    """``introspection`` False also takes away the page and the schema as text."""
    graphql = GraphQL(build_schema(introspection=introspection))
    scopes = (Scope.INTEGRATIONS_READ, Scope.INTEGRATIONS_WRITE)
    queries = Route(
        "POST", "/graphql", graphql.execute, scopes, "Run a GraphQL query or mutation", tag="integrations", vendors=True
    )
    shown = [
        Route("GET", "/graphql", graphql.page, None, "Try GraphQL in a browser", tag="integrations"),
        Route("GET", "/graphql/schema", graphql.sdl, None, "Get the GraphQL schema", tag="integrations"),
    ]
    return [queries, *(shown if introspection else ())]


routes: list[Route] = graphql_routes()


async def _body(request: web.Request) -> bytes:
    require_media(request, JSON)
    return await read_body(request)


def _read(body: dict[str, Any]) -> _Query:
    for name, value in body.items():
        if name not in _FIELDS:
            text = f"Send {', '.join(_FIELDS)} and nothing else."
            raise InvalidRequest.of("unknown_field", text, name[:64])
        if not isinstance(value, _FIELDS[name]):
            raise InvalidRequest.of("wrong_type", f"{name} has the wrong type (GraphQL over HTTP).", name)
    if not body.get("query"):
        raise InvalidRequest.of("required", "Send the query as a string.", "query")
    return _Query(body["query"], body.get("variables"), body.get("operationName"))


def _allowed(caller: Caller) -> set[OperationType]:
    """Definitions belong to no account, so a client that is restricted to one may not change them."""
    writes = caller.may(Scope.INTEGRATIONS_WRITE) and caller.account_id is None
    return {OperationType.QUERY, OperationType.MUTATION} if writes else {OperationType.QUERY}


def _may_not_write(caller: Caller) -> Exception:
    if caller.account_id is not None:
        text = "This client is restricted to one account; use one that is not."
        return Refused.of("account_restricted", text)
    return Refused.of("insufficient_scope", f"A mutation needs a token with the scope {Scope.INTEGRATIONS_WRITE}.")
