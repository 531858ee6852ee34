"""The schema, put together once. Logs nothing about a query and never tells a caller what went wrong inside."""

from __future__ import annotations

from functools import cache

import strawberry
from graphql import GraphQLError
from strawberry.extensions import DisableIntrospection, SchemaExtension
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext

from dispatcher.api.graphql.bounds.few_errors import FewVariableErrors
from dispatcher.api.graphql.bounds.limits import Limits
from dispatcher.api.graphql.mutations.credentials import CredentialMutations
from dispatcher.api.graphql.mutations.integrations import IntegrationMutations
from dispatcher.api.graphql.mutations.pings import PingMutations
from dispatcher.api.graphql.mutations.products import ProductMutations
from dispatcher.api.graphql.mutations.sign_on import SignOnMutations
from dispatcher.api.graphql.mutations.suspended_urls import SuspensionMutations
from dispatcher.api.graphql.naming import Naming
from dispatcher.api.graphql.queries import Query
from dispatcher.api.graphql.types.enums import make_lenient
from dispatcher.api.graphql.types.scalars import SCALARS, take_bare_words
from dispatcher.api.graphql.words.field_words import describe_fields
from dispatcher.api.graphql.words.wording import Names, describe


@strawberry.type
class Mutation(
    IntegrationMutations, ProductMutations, SignOnMutations, CredentialMutations, PingMutations, SuspensionMutations
):
    """Changes that publishers can make."""


class IntegrationSchema(strawberry.Schema):
    """Errors are rendered, and logged where they are ours, by whoever answers the request."""

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Nothing here."""


@cache
def build_schema(*, introspection: bool = True) -> strawberry.Schema:
    """Made once in a process, since that takes a while. ``introspection`` False hides the schema from queries."""
    extensions: list[type[SchemaExtension]] = [Limits, Naming]
    if not introspection:
        extensions.append(DisableIntrospection)
    schema = IntegrationSchema(
        Query,
        Mutation,
        extensions=extensions,
        execution_context_class=FewVariableErrors,
        config=StrawberryConfig(scalar_map=SCALARS, name_converter=Names()),
    )
    make_lenient(schema)
    take_bare_words(schema)
    describe(schema)
    describe_fields(schema)
    return schema
