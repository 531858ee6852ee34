"""``/graphql``: reads the request, checks what its caller may do, runs it. Business rules live in the use cases."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import strawberry
from aiohttp import hdrs, web
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types.graphql import OperationType

from dispatcher.api.graphql.asked import RESPONSE, Query, from_body, from_parameters, media_for, wants_page
from dispatcher.api.graphql.context import context_of
from dispatcher.api.graphql.page import CONTENT_SECURITY_POLICY, graphiql_page
from dispatcher.api.graphql.page_files import PATH, page_file
from dispatcher.api.graphql.result import body_of, was_refused
from dispatcher.api.graphql.schema import build_schema
from dispatcher.api.http.respond import json_response
from dispatcher.api.http.route import CALLER, ENDS_WITH_CALLER, Route
from dispatcher.api.http.store_away import READS
from dispatcher.api.http.turns import CHANGE_TURNS, Turn, share_of, take_turn
from dispatcher.errors import InvalidRequest, Problem, Refused, RequestError
from dispatcher.model.access import Caller, Scope

_NO_STORE: dict[str, str] = {hdrs.CACHE_CONTROL: "no-store", hdrs.VARY: hdrs.ACCEPT}
"""Some answers hold a secret that is shown once."""

_SCOPES = (Scope.INTEGRATIONS_READ, Scope.INTEGRATIONS_WRITE)
_QUERY = "query"
_TAG = "integrations"


class GraphQL:
    """The handlers of one schema."""

    def __init__(self, schema: strawberry.Schema) -> None:
        self._schema = schema
        self._sdl = schema.as_str()

    async def execute(self, request: web.Request) -> web.Response:
        """One query or mutation. 403 for a mutation by a client that may only read.

        What is wrong with the document or its variables is 400 as ``application/graphql-response+json``, and 200 as
        ``application/json``.
        """
        caller = request[CALLER]
        return await self._executed(request, await from_body(request), _allowed(caller))

    async def look(self, request: web.Request) -> web.Response:
        """GraphiQL for browsers. With ``query`` (``variables``, ``operationName``) that query; a mutation is 405."""
        if _QUERY not in request.query:
            if not wants_page(request):
                raise InvalidRequest.of("required", "Send the query as the parameter query, or POST it.", _QUERY)
            return self._page()
        return await self._executed(request, from_parameters(request), {OperationType.QUERY})

    async def _executed(self, request: web.Request, query: Query, allowed: set[OperationType]) -> web.Response:
        turn = await _turn(request, query)
        try:
            result = await self._schema.execute(
                query.text,
                variable_values=query.variables,
                operation_name=query.operation_name,
                context_value=context_of(request, turn, query.operation_name),
                allowed_operation_types=allowed,
            )
        except CannotGetOperationTypeError as error:
            text = f"{error.as_http_error_reason()}; name one of the document's operations."
            return _answer(request, _unknown_operation(text, "operationName"), refused=True)
        except InvalidOperationTypeError as error:
            if error.operation_type is OperationType.SUBSCRIPTION:
                text = "There are queries and mutations here; GET /v1/events/stream tells of changes."
                return _answer(request, _unknown_operation(text, _QUERY), refused=True)
            if request.method in READS:
                raise _not_by_get() from None
            raise _may_not_write(request[CALLER]) from None
        return _answer(request, body_of(result), refused=was_refused(result))

    def _page(self) -> web.Response:
        headers = {"Content-Security-Policy": CONTENT_SECURITY_POLICY, "X-Content-Type-Options": "nosniff"}
        headers[hdrs.VARY] = hdrs.ACCEPT
        return web.Response(text=graphiql_page(self._sdl), content_type="text/html", headers=headers)

    async def sdl(self, request: web.Request) -> web.Response:
        return web.Response(text=self._sdl, content_type="text/plain")


async def _turn(request: web.Request, query: Query) -> Turn:
    """Of reads or of changes. Whoever only reads is given up with its caller. Raises 429 or 503."""
    request[ENDS_WITH_CALLER] = True
    if "mutation" not in query.text:
        return await take_turn(request, request[CALLER])
    turn = await request.app[CHANGE_TURNS].begin(share_of(request[CALLER]))
    request[ENDS_WITH_CALLER] = False
    return turn


def _answer(request: web.Request, body: dict[str, Any], *, refused: bool) -> web.Response:
    media = media_for(request)
    status = 400 if refused and media == RESPONSE else 200
    return json_response(body, status, _NO_STORE, media)


def _unknown_operation(text: str, field: str) -> dict[str, Any]:
    return {"errors": [{"message": text, "extensions": {"code": "unknown_operation", "field": field}}]}


def graphql_routes(*, introspection: bool = True) -> list[Route]:
    """``introspection`` False also takes away the page and the schema as text."""
    graphql = GraphQL(build_schema(introspection=introspection))
    run = Route("POST", "/graphql", graphql.execute, _SCOPES, "Run a GraphQL query or mutation", tag=_TAG, vendors=True)
    look = replace(run, method="GET", handler=graphql.look, scopes=None, asking=(_QUERY, _SCOPES))
    shown = [
        replace(look, summary="Try GraphQL in a browser, or run a query"),
        Route("GET", f"{PATH}/{{file}}", page_file, None, "Get a file of the GraphQL page", tag=_TAG),
        Route("GET", "/graphql/schema", graphql.sdl, None, "Get the GraphQL schema", tag=_TAG),
    ]
    return [run, *(shown if introspection else ())]


routes: list[Route] = graphql_routes()


def _allowed(caller: Caller) -> set[OperationType]:
    """Definitions belong to no account, so a client that is restricted to one may not change them."""
    writes = caller.may(Scope.INTEGRATIONS_WRITE) and caller.account_id is None
    return {OperationType.QUERY, OperationType.MUTATION} if writes else {OperationType.QUERY}


def _not_by_get() -> RequestError:
    return RequestError([Problem("method_not_allowed", "Send a mutation by POST.", _QUERY)], 405, {hdrs.ALLOW: "POST"})


def _may_not_write(caller: Caller) -> Exception:
    if caller.account_id is not None:
        text = "This client is restricted to one account; use one that is not."
        return Refused.of("account_restricted", text)
    return Refused.of("insufficient_scope", f"A mutation needs a token with the scope {Scope.INTEGRATIONS_WRITE}.")
