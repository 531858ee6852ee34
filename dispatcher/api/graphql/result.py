"""Turns what a query came to into an answer. Never shows an error of ours; those are logged instead."""

from __future__ import annotations

import re
from typing import Any

import structlog
from graphql import GraphQLError
from strawberry.types import ExecutionResult

from dispatcher.errors import RecordDamaged, RequestError, StoreUnavailable

_VALUES = re.compile(r"[,;.]? [Ff]ound:? .*|( cannot represent [^:]{0,40}value): .*", re.DOTALL)
"""Ends of messages in which graphql-core repeats variables, secrets included; why one is wrong stands before."""

log = structlog.get_logger("dispatcher.api.graphql")


def was_refused(result: ExecutionResult) -> bool:
    """True when nothing was executed: something is wrong with syntax, validity or variables."""
    return result.data is None and bool(result.errors) and all(error.path is None for error in result.errors or ())


def body_of(result: ExecutionResult) -> dict[str, Any]:
    """Raises ``StoreUnavailable`` when that is why a field has no value: the whole outcome is unknown then."""
    if not result.errors:
        return {"data": result.data}
    for error in result.errors:
        if isinstance(error.original_error, StoreUnavailable):
            raise error.original_error
    body: dict[str, Any] = {"errors": [_rendered(error) for error in result.errors]}
    return body if was_refused(result) else {"data": result.data} | body


def _rendered(error: GraphQLError) -> dict[str, Any]:
    cause = error.original_error
    if cause is None or isinstance(cause, GraphQLError):
        shown = {**error.formatted, "message": _VALUES.sub(r"\1", error.message)}
        return {**shown, "extensions": {"code": "invalid_query", **(error.extensions or {})}}
    if isinstance(cause, RequestError):
        first = cause.problems[0]
        return {**error.formatted, "message": first.message, "extensions": {"code": first.code, "field": first.field}}
    if isinstance(cause, RecordDamaged):
        return {**error.formatted, "message": str(cause), "extensions": {"code": "store_damaged"}}
    log.error("field failed", path=error.path, error=repr(cause), exc_info=cause)
    text = "Something went wrong on our side; quote the request id when you report it."
    return {**error.formatted, "message": text, "extensions": {"code": "internal_error"}}
