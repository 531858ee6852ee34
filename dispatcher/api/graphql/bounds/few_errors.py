"""Ends the reading of a query at the first few errors: each looks through all names for one that may be meant.

That takes some 3 ms for each error, and documents and variables can hold hundreds.
"""

from __future__ import annotations

from inspect import signature
from typing import Any

from graphql import GraphQLError
from graphql.validation import ASTValidationContext, ASTValidationRule
from graphql.validation.validate import ValidationAbortedError
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

MAX_ERRORS = 5


class FewErrors(ASTValidationRule):
    """Of a document, whichever rule finds them."""

    def __init__(self, context: ASTValidationContext) -> None:
        super().__init__(context)
        self._left = MAX_ERRORS
        self._report = context.on_error
        context.on_error = self._report_few  # type: ignore[method-assign]

    def _report_few(self, error: GraphQLError) -> None:
        if not self._left:
            raise ValidationAbortedError(f"There is more wrong than these {MAX_ERRORS}.")
        self._left -= 1
        self._report(error)


class FewVariableErrors(StrawberryGraphQLCoreExecutionContext):
    """Of variables."""

    @classmethod
    def build(cls, *args: Any, **kwargs: Any) -> Any:
        given = signature(super().build).bind_partial(*args, **kwargs)
        given.arguments["max_coercion_errors"] = MAX_ERRORS
        return super().build(*given.args, **given.kwargs)
