"""Shared parts of what mutations answer. A broken business rule is a user error with HTTP 200, no GraphQL error."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import strawberry

from dispatcher.api.graphql.types.objects import ProductIntegration
from dispatcher.errors import Problem, RequestError
from dispatcher.model.integration import Integration


@strawberry.type
class UserError:
    """One thing wrong with what was asked. ``code`` is stable, ``path`` leads to the input."""

    message: str
    path: list[str]
    code: str


@strawberry.type
class Payload:
    user_errors: list[UserError] = strawberry.field(default_factory=list)


@strawberry.type
class IntegrationPayload(Payload):
    product_integration: ProductIntegration | None = None


def working(integration: Integration) -> ProductIntegration:
    """The integration as it is edited."""
    return ProductIntegration.of(integration, integration.working)


P = TypeVar("P", bound=Payload)
Given = ParamSpec("Given")
Mutate = Callable[Given, Coroutine[Any, Any, P]]


def answered(payload: type[P], id_field: str = "id") -> Callable[[Mutate[Given, P]], Mutate[Given, P]]:
    """A mutation whose refusals become user errors. ``id_field``: the input's name for the integration's id."""

    def around(mutate: Mutate[Given, P]) -> Mutate[Given, P]:
        @wraps(mutate)
        async def answer(*args: Given.args, **named: Given.kwargs) -> P:
            try:
                return await mutate(*args, **named)
            except RequestError as error:
                return payload(user_errors=[_user_error(problem, id_field) for problem in error.problems])

        return answer

    return around


def _user_error(problem: Problem, id_field: str) -> UserError:
    field = id_field if problem.field == "id" else problem.field
    return UserError(message=problem.message, path=["input", *(field.split(".") if field else ())], code=problem.code)
