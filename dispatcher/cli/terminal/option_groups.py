"""Options that several verbs share: a dataclass names them once, and ``grouped`` spreads its fields over a verb.

Never reads the environment and never checks a value.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, get_type_hints

NO_DEFAULT = inspect.Parameter.empty


def grouped(verb: Callable[..., None]) -> Callable[..., None]:
    """``verb`` as typer wants to see it: a parameter whose type is a dataclass becomes one option for each field."""
    own = inspect.signature(verb, eval_str=True).parameters.values()
    groups: dict[str, Any] = {one.name: one.annotation for one in own if is_dataclass(one.annotation)}
    spread = [one for parameter in own for one in _spread(parameter)]

    def call(**given: Any) -> None:
        for name, group in groups.items():
            given[name] = group(**{field.name: given.pop(field.name) for field in fields(group)})
        verb(**given)

    call.__name__, call.__doc__, call.__module__ = verb.__name__, verb.__doc__, verb.__module__
    call.__annotations__ = {parameter.name: parameter.annotation for parameter in spread}
    call.__signature__ = inspect.Signature(spread)  # type: ignore[attr-defined]
    return call


def _spread(parameter: inspect.Parameter) -> Iterator[inspect.Parameter]:
    group = parameter.annotation
    if not is_dataclass(group):
        yield parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        return
    hints = get_type_hints(group, include_extras=True)
    for field in fields(group):
        default = NO_DEFAULT if field.default is MISSING else field.default
        yield inspect.Parameter(
            field.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=hints[field.name]
        )
