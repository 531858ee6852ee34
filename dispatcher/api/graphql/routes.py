"""``/graphql``: reads the request, checks what its caller may do, runs it. Business rules live in the use cases."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING

from aiohttp import hdrs, web

from dispatcher.api.graphql.asked import QUERY, Query, from_body, from_parameters, wants_page
from dispatcher.api.graphql.page.files import PATH, page_file
from dispatcher.api.graphql.page.graphiql import CONTENT_SECURITY_POLICY, graphiql_page
from dispatcher.api.http.overload.turns import CHANGE_TURNS, Turn, share_of, take_turn
from dispatcher.api.http.route import CALLER, ENDS_WITH_CALLER, Route
from dispatcher.errors import InvalidRequest
from dispatcher.model.access import Caller, Scope

if TYPE_CHECKING:
    from dispatcher.api.graphql.execution import Execution

_SCOPES = (Scope.INTEGRATIONS_READ, Scope.INTEGRATIONS_WRITE)
_TAG = "integrations"


class GraphQL:
    """The handlers of one schema, which is loaded when it is first asked for: most processes accept, and never are."""

    def __init__(self, *, introspection: bool) -> None:
        self._introspection = introspection
        self._loading = Lock()
        self._loaded: Execution | None = None

    async def execute(self, request: web.Request) -> web.Response:
        """One query or mutation. 403 for a mutation by a client that may only read.

        What is wrong with the document or its variables is 400 as ``application/graphql-response+json``, and 200 as
        ``application/json``.
        """
        query = await from_body(request)
        return await self._executed(request, query, changes=_may_change(request[CALLER]))

    async def look(self, request: web.Request) -> web.Response:
        """GraphiQL for browsers. With ``query`` (``variables``, ``operationName``) that query; a mutation is 405."""
        if QUERY not in request.query:
            if not wants_page(request):
                raise InvalidRequest.of("required", "Send the query as the parameter query, or POST it.", QUERY)
            return await self._page()
        return await self._executed(request, from_parameters(request), changes=False)

    async def sdl(self, request: web.Request) -> web.Response:
        return web.Response(text=(await self._execution()).sdl, content_type="text/plain")

    async def _executed(self, request: web.Request, query: Query, *, changes: bool) -> web.Response:
        execution, turn = await self._execution(), await _turn(request, query)
        return await execution.run(request, query, turn, changes=changes)

    async def _page(self) -> web.Response:
        headers = {"Content-Security-Policy": CONTENT_SECURITY_POLICY, "X-Content-Type-Options": "nosniff"}
        headers[hdrs.VARY] = hdrs.ACCEPT
        page = graphiql_page((await self._execution()).sdl)
        return web.Response(text=page, content_type="text/html", headers=headers)

    async def _execution(self) -> Execution:
        """Loaded by a thread, half a second of work: meanwhile others are answered."""
        if self._loaded is not None:
            return self._loaded
        return await asyncio.to_thread(self._load)

    def _load(self) -> Execution:
        from dispatcher.api.graphql.execution import Execution

        with self._loading:
            loaded = self._loaded or Execution(introspection=self._introspection)
            self._loaded = loaded
        return loaded


async def _turn(request: web.Request, query: Query) -> Turn:
    """Of reads or of changes. Whoever only reads is given up with its caller. Raises 429 or 503."""
    request[ENDS_WITH_CALLER] = True
    if "mutation" not in query.text:
        return await take_turn(request, request[CALLER])
    turn = await request.app[CHANGE_TURNS].begin(share_of(request[CALLER]))
    request[ENDS_WITH_CALLER] = False
    return turn


def graphql_routes(*, introspection: bool = True) -> list[Route]:
    """``introspection`` False also takes away the page and the schema as text."""
    graphql = GraphQL(introspection=introspection)
    run = Route("POST", "/graphql", graphql.execute, _SCOPES, "Run a GraphQL query or mutation", tag=_TAG, vendors=True)
    look = replace(run, method="GET", handler=graphql.look, scopes=None, asking=(QUERY, _SCOPES))
    shown = [
        replace(look, summary="Try GraphQL in a browser, or run a query"),
        Route("GET", f"{PATH}/{{file}}", page_file, None, "Get a file of the GraphQL page", tag=_TAG),
        Route("GET", "/graphql/schema", graphql.sdl, None, "Get the GraphQL schema", tag=_TAG),
    ]
    return [run, *(shown if introspection else ())]


routes: list[Route] = graphql_routes()


def _may_change(caller: Caller) -> bool:
    """Definitions belong to no account, so a client that is bound to one may not change them."""
    return caller.may(Scope.INTEGRATIONS_WRITE) and caller.account_id is None
