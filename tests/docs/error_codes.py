"""Finds every error code that the code base can answer with, by reading its syntax trees. Imports nothing of it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

_NAMES = frozenset({"code", "CODE", "_CODES", "_OAUTH_CODES", "_OAUTH_OWN"})
"""Variables that hold codes."""
_ELSEWHERE = (
    "cli/",
    "client/",
    "sample_host/",
    "sample_host_application/",
    "console/",
    "marketplace/",
    "pages/",
    "portal/",
)
"""These receive codes."""


_STATUSES = {"InvalidRequest": 400, "Refused": 403, "NotFound": 404, "Conflict": 409, "Unprocessable": 422}


def codes_in_code(package: Path) -> set[str]:
    """Codes of REST, GraphQL and OAuth2 errors; those of events are in capitals and left out."""
    found = {code for node in _nodes(package) for code in _codes(node)}
    return {code for code in found if code and code == code.lower() and " " not in code}


def statuses_in_code(package: Path) -> dict[str, set[int]]:
    """HTTP statuses of the codes that are raised as ``SomeError.of("code", …)``."""
    found: dict[str, set[int]] = {}
    for node in _nodes(package):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "of":
            kind = node.func.value.id if isinstance(node.func.value, ast.Name) else ""
            for code in _texts(node.args[0]) if kind in _STATUSES else ():
                found.setdefault(code, set()).add(_STATUSES[kind])
    return found


def _nodes(package: Path) -> Iterator[ast.AST]:
    for path in package.rglob("*.py"):
        if not path.relative_to(package).as_posix().startswith(_ELSEWHERE):
            yield from ast.walk(ast.parse(path.read_text()))


def _codes(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Call) and node.args and _takes_a_code(node):
        yield from _texts(node.args[0])
    elif isinstance(node, ast.Assign | ast.AnnAssign) and _NAMES.intersection(_assigned(node)):
        yield from _held(node.value)
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and key.value == "code":
                yield from _texts(value)


def _assigned(node: ast.Assign | ast.AnnAssign) -> list[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return [one.id for one in targets if isinstance(one, ast.Name)]


def _takes_a_code(call: ast.Call) -> bool:
    name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
    is_factory = name == "of" and isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name)
    return name in {"Problem", "_unauthorized", "_unsupported", "_refused", "_problem"} or is_factory


def _held(value: ast.expr | None) -> Iterator[str]:
    """Of a dictionary the values, of a tuple among them the first; of a call like ``frozenset({…})`` its items."""
    if isinstance(value, ast.Dict):
        for one in value.values:
            yield from _texts(one.elts[0] if isinstance(one, ast.Tuple) else one)
    elif isinstance(value, ast.Call):
        for argument in value.args:
            yield from _texts(argument)
    elif value is not None:
        yield from _texts(value)


def _texts(value: ast.expr) -> Iterator[str]:
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        yield value.value
    elif isinstance(value, ast.IfExp):
        yield from _texts(value.body)
        yield from _texts(value.orelse)
    elif isinstance(value, ast.Set | ast.Tuple | ast.List):
        for one in value.elts:
            yield from _texts(one)
