"""Words, examples and formats that models leave out, laid over the schemas of the OpenAPI document.

Decides nothing about what is taken or answered: a schema says afterwards what it said before, in more words.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

Schema = dict[str, Any]

_TYPES: dict[type, str] = {str: "string", bool: "boolean", int: "integer", float: "number"}
_TIMES = frozenset(
    {"at", "createdOn", "from", "lastModified", "publishedOn", "resultDeadline", "searchedTo", "since", "to", "until"}
)
_REF = "#/components/schemas/"
_DEEP = 6


@cache
def words() -> dict[str, list[Any]]:
    """Name of a property or parameter → description, and perhaps an example."""
    read: dict[str, list[Any]] = json.loads(files("dispatcher.api.documents").joinpath("words.json").read_text("utf-8"))
    return read


def described(name: str) -> str | None:
    """The description of whatever has that name outside."""
    found = words().get(name)
    return found[0] if found else None


def worded(schemas: dict[str, Schema]) -> dict[str, Schema]:
    """``schemas`` in place: every property with a description, every plain one with an example."""
    for model, schema in schemas.items():
        typed(schema)
        for name, held in schema.get("properties", {}).items():
            held.pop("title", None)
            if "description" not in held and (text := described(name)):
                held["description"] = text
            if model.endswith("Out"):
                _format(name, held)
    for schema in schemas.values():
        for name, held in schema.get("properties", {}).items():
            if "examples" not in held and (example := _example_of(name, held, schemas)) is not None:
                held["examples"] = [example]
    return schemas


def typed(schema: Any) -> None:
    """Every ``enum`` and ``const`` has a type, and what may be left out no ``default: null``; within it, too."""
    if isinstance(schema, list):
        for one in schema:
            typed(one)
    if not isinstance(schema, dict):
        return
    listed = schema.get("enum") or ([schema["const"]] if "const" in schema else [])
    kinds = {_type_of(one) for one in listed} if isinstance(listed, list) else set()
    if "type" not in schema and len(kinds) == 1 and (kind := kinds.pop()):
        schema["type"] = kind
    if "default" in schema and schema["default"] is None:
        del schema["default"]
    for one in schema.values():
        typed(one)


def _type_of(value: Any) -> str | None:
    return next((name for kind, name in _TYPES.items() if isinstance(value, kind)), None)


def example(schema: Schema, schemas: dict[str, Schema], depth: int = 0) -> Any:
    """A value that meets the schema, put together of the examples of its parts; None where there is none."""
    if "examples" in schema:
        return schema["examples"][0]
    if "$ref" in schema:
        return example(schemas[schema["$ref"].removeprefix(_REF)], schemas, depth + 1) if depth < _DEEP else None
    if "const" in schema or "enum" in schema:
        return schema["const"] if "const" in schema else schema["enum"][0]
    if "anyOf" in schema:
        return next((found for one in schema["anyOf"] if (found := example(one, schemas, depth)) is not None), None)
    if schema.get("type") == "array":
        one = example(schema.get("items", {}), schemas, depth + 1)
        return [] if one is None or depth >= _DEEP else [one]
    if schema.get("type") == "object" and "properties" in schema:
        return _object(schema, schemas, depth)
    made: dict[Any, Any] = {
        "object": {},
        "string": "text",
        "integer": max(1, schema.get("minimum", 1)),
        "boolean": True,
    }
    return made.get(schema.get("type"))


def _object(schema: Schema, schemas: dict[str, Schema], depth: int) -> Any:
    made = {}
    for name in schema.get("required") or schema["properties"]:
        made[name] = example(schema["properties"].get(name, {}), schemas, depth + 1)
    return made


def _example_of(name: str, held: Schema, schemas: dict[str, Schema]) -> Any:
    plain = [one for one in held.get("anyOf", [held]) if one.get("type") in _TYPES.values()]
    if not plain:
        return None
    if "enum" in plain[0] or "const" in plain[0]:
        return example(plain[0], schemas)
    given = words().get(name, [None])[1:]
    kinds = {one["type"] for one in plain}
    if given and (_TYPES[type(given[0])] in kinds or ("number" in kinds and isinstance(given[0], int))):
        return given[0]
    return {"boolean": True, "integer": max(1, plain[0].get("minimum", 1)), "number": 1.5}.get(plain[0]["type"], name)


def _format(name: str, held: Schema) -> None:
    for one in held.get("anyOf", [held]):
        if one.get("type") == "integer":
            one.setdefault("format", "int64")
        elif one.get("type") == "string" and "enum" not in one and "const" not in one:
            if name in _TIMES or name.endswith("At"):
                one.setdefault("format", "date-time")
            elif name.endswith(("Url", "URL", "Uri")):
                one.setdefault("format", "uri")
