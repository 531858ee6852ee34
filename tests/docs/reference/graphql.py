"""docs/reference/graphql.md: the schema, a section for each query, mutation and type."""

from __future__ import annotations

from graphql import GraphQLField, GraphQLObjectType, GraphQLSchema, print_type
from graphql import build_schema as read_schema

from dispatcher.api.graphql.schema import build_schema

HEAD = """# GraphQL reference

The schema of `/graphql`, generated from the code; `GET /graphql/schema` answers the same as one text. A mutation that
breaks a rule says so in `userErrors`, with codes of [errors.md](../errors.md).
[delivery.md](../delivery.md#integrations) shows how integrations are defined.
"""
_ROOTS = ("Query", "Mutation")


def graphql_page() -> str:
    schema = read_schema(build_schema().as_str())
    lines = [HEAD]
    for name, title in zip(_ROOTS, ("Queries", "Mutations"), strict=True):
        root = schema.type_map[name]
        assert isinstance(root, GraphQLObjectType)
        lines += [f"## {title}", ""]
        for field, definition in root.fields.items():
            lines += [
                f"### {name.lower()} {field}",
                "",
                *_about(definition),
                "```graphql",
                _signature(field, definition),
                "```",
                "",
            ]
    return "\n".join([*lines, "## Types", "", *_types(schema)]).rstrip() + "\n"


def _about(definition: GraphQLField) -> list[str]:
    return [definition.description.replace("``", "`"), ""] if definition.description else []


def _signature(name: str, definition: GraphQLField) -> str:
    arguments = ", ".join(f"{one}: {argument.type}" for one, argument in definition.args.items())
    return f"{name}({arguments}): {definition.type}" if arguments else f"{name}: {definition.type}"


def _block(text: str) -> list[str]:
    return ["```graphql", text, "```", ""]


def _types(schema: GraphQLSchema) -> list[str]:
    lines: list[str] = []
    for name, kind in sorted(schema.type_map.items()):
        if name not in _ROOTS and not name.startswith("__"):
            lines += [f"### {name}", "", *_block(print_type(kind))]
    return lines
