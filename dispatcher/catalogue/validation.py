"""Checks a payload against the schema of its type. Names places, never values."""

from __future__ import annotations

from functools import cache
from itertools import islice
from typing import Any

from jsonschema_rs import Draft202012Validator, ValidationError

from dispatcher.catalogue.schemas import payload_schema
from dispatcher.errors import Problem
from dispatcher.model import exact_numbers
from dispatcher.model.event_type import EventType

MAX_PROBLEMS = 20
_MAX_MESSAGE_CHARS = 300
_CODES = {"required": "missing_field", "type": "wrong_type", "not": "missing_field"}


def schema_problems(kind: EventType, payload: dict[str, Any] | None) -> list[Problem]:
    """At most 20 problems of ``payload``, each with its path (``payload.order.items.0.unit``).

    ``iter_errors`` makes all errors before it gives the first, so it sees no more of a list than there may be problems.
    """
    checked, validator = exact_numbers.plain(payload or {}), _validator(kind)
    if validator.is_valid(checked):
        return []
    found = [_problem(kind, one) for one in islice(validator.iter_errors(_beginning(checked)), MAX_PROBLEMS)]
    return found or [_first_problem(kind, checked)]


def _beginning(value: Any) -> Any:
    """``value`` with lists cut short."""
    if isinstance(value, list):
        return [_beginning(one) for one in value[:MAX_PROBLEMS]]
    return {name: _beginning(one) for name, one in value.items()} if isinstance(value, dict) else value


def _first_problem(kind: EventType, payload: dict[str, Any]) -> Problem:
    """The one that lies behind the beginning of a list."""
    try:
        _validator(kind).validate(payload)
    except ValidationError as error:
        return _problem(kind, error)
    raise AssertionError("valid and not valid")


@cache
def _validator(kind: EventType) -> Draft202012Validator:
    return Draft202012Validator(payload_schema(kind), mask="this value")


def _problem(kind: EventType, error: ValidationError) -> Problem:
    keyword = error.kind.name
    path = ["payload", *(str(part) for part in error.instance_path)]
    code = _CODES.get(keyword, "invalid_value")
    if keyword == "required":
        path.append(error.kind.as_dict()["property"])
    if code == "missing_field":
        return Problem(code, f"{kind.value} needs {path[-1]}.", ".".join(path))
    return Problem(code, _how(error), ".".join(path))


def _how(error: ValidationError) -> str:
    if error.kind.name == "enum":
        return f"Give one of {', '.join(one for one in error.kind.as_dict()['options'] if one)}."
    text = error.message[:_MAX_MESSAGE_CHARS]
    return f"{text[:1].upper()}{text[1:]}."
