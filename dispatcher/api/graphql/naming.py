"""Tells the context which mutation is being run, for the audit log. Changes nothing of what it does."""

from __future__ import annotations

from typing import Any

from graphql import GraphQLResolveInfo
from strawberry.extensions import SchemaExtension

MUTATION = "Mutation"


class Naming(SchemaExtension):
    """Mutations of one request run one after the other, each with all of its answer."""

    def resolve(self, _next: Any, root: Any, info: GraphQLResolveInfo[Any], *args: Any, **kwargs: Any) -> Any:
        if info.parent_type.name == MUTATION:
            info.context.doing.mutation = info.field_name
        return _next(root, info, *args, **kwargs)
