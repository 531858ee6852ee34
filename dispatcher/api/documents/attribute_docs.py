"""Docstrings below the fields of models, as descriptions of their properties.

Read from the source when a document is made: pydantic's own ``use_attribute_docstrings`` looks for it through the
stack of every import, which took a third of the time of a start.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import Any

from pydantic import BaseModel

from dispatcher.api.rest.models import Wire


def describe_properties(schemas: dict[str, dict[str, Any]]) -> None:
    """Lay the docstrings of fields over the properties of ``schemas`` that have no description."""
    for model in _below(Wire):
        properties = schemas.get(model.__name__, {}).get("properties", {})
        for kin in model.__mro__:
            for name, text in _docstrings(kin.__module__).get(kin.__name__, {}).items():
                shown = properties.get(model.model_fields[name].alias or name)
                if shown is not None:
                    shown.setdefault("description", text)


def _below(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for one in model.__subclasses__():
        yield one
        yield from _below(one)


@cache
def _docstrings(module: str) -> dict[str, dict[str, str]]:
    """Class → field → the docstring below it, of a module of this API."""
    if not module.startswith("dispatcher.api."):
        return {}
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return {one.name: dict(_of_fields(one)) for one in tree.body if isinstance(one, ast.ClassDef)}


def _of_fields(model: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for field, below in pairwise(model.body):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                yield name, inspect.cleandoc(text)
