"""Answers of mutations. A broken business rule is a user error with HTTP 200, never a GraphQL error."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import strawberry

from dispatcher.api.graphql.types.integration_fields import BookmarkConfiguration, OpenIdConnectConfiguration
from dispatcher.api.graphql.types.objects import Product, ProductIntegration
from dispatcher.api.graphql.types.outputs import (
    InboundClient,
)
from dispatcher.api.graphql.types.ping_outputs import IntegrationTest
from dispatcher.api.graphql.types.scalars import EpochMs
from dispatcher.errors import Problem, RequestError


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


@strawberry.type
class CreateProductIntegrationPayload(IntegrationPayload):
    signing_secret: str | None = strawberry.field(
        default=None, description="Signs every notification. Shown only here: keep it."
    )
    warnings: list[str] = strawberry.field(default_factory=list)


@strawberry.type
class UpdateProductIntegrationPayload(IntegrationPayload):
    warnings: list[str] = strawberry.field(default_factory=list)


@strawberry.type
class UpdateProductPayload(Payload):
    product: Product | None = None


@strawberry.type
class OpenIdConnectConfigurationPayload(IntegrationPayload):
    open_id_connect_configuration: OpenIdConnectConfiguration | None = None
    warnings: list[str] = strawberry.field(default_factory=list)


@strawberry.type
class BookmarkConfigurationPayload(IntegrationPayload):
    bookmark_configuration: BookmarkConfiguration | None = None
    warnings: list[str] = strawberry.field(default_factory=list)


@strawberry.type
class RemoveProductIntegrationSingleSignOnConfigurationPayload(IntegrationPayload):
    pass


@strawberry.type
class GenerateProductIntegrationInboundClientPayload(Payload):
    """The pair, wrapped and flat: both forms are in use."""

    product_integration_inbound_client: InboundClient | None = None
    client_id: str | None = None
    client_secret: str | None = None
    created_on: EpochMs | None = None


@strawberry.type
class TriggerProductIntegrationPingTestPayload(IntegrationPayload):
    test: IntegrationTest | None = strawberry.field(default=None, description="Still running; ask for it by its id.")


@strawberry.type
class TestProductIntegrationCredentialsPayload(Payload):
    """``success`` null: nothing was tried, because of ``userErrors``."""

    success: bool | None = None
    error_code: str | None = None
    message: str | None = None
    duration_ms: float | None = None


@strawberry.type
class PublishProductIntegrationPayload(IntegrationPayload):
    pass


@strawberry.type
class LinkProductIntegrationPayload(IntegrationPayload):
    product: Product | None = None
    former_integration_id: strawberry.ID | None = strawberry.field(
        default=None, description="The integration that the product was taken from."
    )
    warnings: list[str] = strawberry.field(default_factory=list)


@strawberry.type
class UnlinkProductIntegrationPayload(IntegrationPayload):
    product: Product | None = None


@strawberry.type
class RotateProductIntegrationSigningSecretPayload(IntegrationPayload):
    signing_secret: str | None = strawberry.field(
        default=None, description="Signs from now on, beside the old one. Shown only here: keep it. Null for ED25519."
    )
    public_key: str | None = strawberry.field(
        default=None, description="What verifies the signatures of an ED25519 key; also in the published key set."
    )


@strawberry.type
class ScheduleProductIntegrationSigningKeyRotationPayload(IntegrationPayload):
    pass


@strawberry.type
class EnableProductIntegrationSuspendedUrlPayload(IntegrationPayload):
    released: int | None = strawberry.field(default=None, description="Parked events that go on.")
    was_suspended: bool | None = strawberry.field(
        default=None, description="False: nothing was suspended, and nothing has changed."
    )


@strawberry.type
class DeleteProductIntegrationPayload(Payload):
    id: strawberry.ID | None = None


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
