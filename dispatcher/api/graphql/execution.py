"""One schema, and the running of its queries. Loaded when it is first asked for: with its library it takes 10 MB."""

from __future__ import annotations

from typing import Any

from aiohttp import hdrs, web
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types.graphql import OperationType

from dispatcher.api.graphql.asked import QUERY, RESPONSE, Query, media_for
from dispatcher.api.graphql.context import context_of
from dispatcher.api.graphql.result import body_of, was_refused
from dispatcher.api.graphql.schema import build_schema
from dispatcher.api.http.overload.turns import Turn
from dispatcher.api.http.response.respond import json_response
from dispatcher.api.http.response.store_away import READS
from dispatcher.api.http.route import CALLER
from dispatcher.errors import Problem, Refused, RequestError
from dispatcher.model.access import Caller, Scope

_NO_STORE: dict[str, str] = {hdrs.CACHE_CONTROL: "no-store", hdrs.VARY: hdrs.ACCEPT}
"""Some answers hold a secret that is shown once."""


class Execution:
    """One schema for all requests. ``introspection`` False hides it from queries."""

    def __init__(self, *, introspection: bool) -> None:
        self._schema = build_schema(introspection=introspection)
        self.sdl = self._schema.as_str()

    async def run(self, request: web.Request, query: Query, turn: Turn, *, changes: bool) -> web.Response:
        """The answer. ``changes`` False refuses mutations: 405 by GET, 403 for a client that may only read."""
        allowed = {OperationType.QUERY, OperationType.MUTATION} if changes else {OperationType.QUERY}
        try:
            result = await self._schema.execute(
                query.text,
                variable_values=query.variables,
                operation_name=query.operation_name,
                context_value=context_of(request, turn, query.operation_name),
                allowed_operation_types=allowed,
            )
        except CannotGetOperationTypeError as error:
            text = f"{error.as_http_error_reason().removesuffix('.')}; name one of the document's operations."
            return _answer(request, _unknown_operation(text, "operationName"), refused=True)
        except InvalidOperationTypeError as error:
            if error.operation_type is OperationType.SUBSCRIPTION:
                text = "There are queries and mutations here; GET /v1/events/stream tells of changes."
                return _answer(request, _unknown_operation(text, QUERY), refused=True)
            if request.method in READS:
                raise _not_by_get() from None
            raise _may_not_write(request[CALLER]) from None
        return _answer(request, body_of(result), refused=was_refused(result))


def _answer(request: web.Request, body: dict[str, Any], *, refused: bool) -> web.Response:
    media = media_for(request)
    status = 400 if refused and media == RESPONSE else 200
    return json_response(body, status, _NO_STORE, media)


def _unknown_operation(text: str, field: str) -> dict[str, Any]:
    return {"errors": [{"message": text, "extensions": {"code": "unknown_operation", "field": field}}]}


def _not_by_get() -> RequestError:
    return RequestError([Problem("method_not_allowed", "Send a mutation by POST.", QUERY)], 405, {hdrs.ALLOW: "POST"})


def _may_not_write(caller: Caller) -> Exception:
    if caller.account_id is not None:
        text = "This client is bound to one account; use one that is not."
        return Refused.of("account_restricted", text)
    return Refused.of("insufficient_scope", f"A mutation needs a token with the scope {Scope.INTEGRATIONS_WRITE}.")
