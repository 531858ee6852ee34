"""docs/reference/rest.md: every request with its parameters, body and answers, from the OpenAPI document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dispatcher.api.documents.openapi import build_document
from dispatcher.api.table import api_routes
from tests.docs.reference.forms import Schema, field_rows, held, sentence, table

HEAD = """# REST reference

Every request and every form, generated from the route table. `GET /openapi.json` is the same for machines, `GET /docs`
the same with examples. [api.md](../api.md) explains what belongs together, [errors.md](../errors.md) the codes behind a
status. Where several scopes are named, one is enough.
"""
_TITLES = {"oauth2": "OAuth2"}

Json = Mapping[str, Any]


def rest_page() -> str:
    document = build_document(api_routes(), "https://dispatcher.example.com")
    lines = [HEAD]
    for tag, operations in _by_tag(document).items():
        lines += [f"## {_TITLES.get(tag, tag.capitalize())}", ""]
        for method, path, operation in operations:
            lines += _operation(method, path, operation)
    lines += ["## Forms", ""]
    for name, schema in sorted(document["components"]["schemas"].items()):
        lines += _form(name, schema)
    return "\n".join(lines).rstrip() + "\n"


def _by_tag(document: Json) -> dict[str, list[tuple[str, str, Json]]]:
    found: dict[str, list[tuple[str, str, Json]]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            found.setdefault(operation["tags"][0], []).append((method.upper(), path, operation))
    return found


def _operation(method: str, path: str, operation: Json) -> list[str]:
    about = [f"### {operation['operationId']}", "", f"`{method} {path}`: {operation['summary']}.", ""]
    if operation["description"].rstrip(".") != operation["summary"]:
        about += [*operation["description"].replace("``", "`").splitlines(), ""]
    about += [f"Scope: {', '.join(_scopes(operation)) or 'none'}.", ""]
    about += table("parameter", [_parameter(one) for one in operation.get("parameters", ())])
    about += _body(operation.get("requestBody", {}).get("content", {}))
    return [*about, f"Answers: {', '.join(_answers(operation['responses']))}.", ""]


def _scopes(operation: Json) -> list[str]:
    return [f"`{scope}`" for entry in operation["security"] for scope in entry.get("oauth2", ())]


def _parameter(one: Json) -> list[str]:
    needed = ", required" if one.get("required") and one["in"] != "path" else ""
    return [f"`{one['name']}` ({one['in']})", held(one["schema"]) + needed, sentence(one.get("description"))]


def _body(content: Json) -> list[str]:
    if not content:
        return []
    said = [f"{_held(media['schema'])} as `{kind}`" for kind, media in content.items()]
    inline = [row for media in content.values() for row in field_rows(media["schema"])]
    return [f"Body: {'; '.join(said)}.", "", *table("field", inline)]


def _held(schema: Schema) -> str:
    """Contents of a body; of one that has no form of its own also what its schema says of it."""
    about = sentence(schema.get("description") or schema.get("items", {}).get("description"))
    return f"{held(schema)} ({about[0].lower()}{about[1:]})" if about else held(schema)


def _answers(responses: Json) -> Iterator[str]:
    for status, answer in sorted(responses.items()):
        if not status.isdigit():
            continue
        forms = dict.fromkeys(held(media["schema"]) for media in answer.get("content", {}).values())
        yield " ".join([status, *(forms if status.startswith("2") else ())])


def _form(name: str, schema: Schema) -> list[str]:
    about = sentence(schema.get("description"))
    rows = field_rows(schema)
    return [f"### {name}", "", *([about, ""] if about else []), *(table("field", rows) or [f"{held(schema)}.", ""])]
