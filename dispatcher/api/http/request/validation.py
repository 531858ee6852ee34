"""Turns pydantic's errors into problems with stable codes and dotted fields. Never decides business rules."""

from __future__ import annotations

from itertools import islice
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from dispatcher.errors import Problem, Unprocessable
from dispatcher.policy.unknown_fields import unknown_field

Model = TypeVar("Model", bound=BaseModel)

_CODES = {
    "extra_forbidden": "unknown_field",
    "missing": "missing_field",
    "string_too_long": "too_long",
    "too_long": "limit_reached",
}
_TEXTS = {
    "missing": "This field is required.",
    "model_type": "Give a JSON object.",
    "model_attributes_type": "Give a JSON object.",
    "dict_type": "Give a JSON object.",
    "list_type": "Give a JSON array.",
    "string_pattern_mismatch": "Leave out control characters.",
    "string_too_short": "Give a value that is not empty.",
}
_MAX_PROBLEMS = 20
_MAX_NAME_CHARS = 255


def validated(model: type[Model], value: Any) -> Model:
    """``value`` as ``model``; 422 with one problem for each thing that is wrong, at most 20."""
    if isinstance(value, dict) and len(value) > _MAX_PROBLEMS:
        _refuse_many_unknown(model, value)
    try:
        return model.model_validate(value)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        placed = [(_place(one, value), one) for one in found[:_MAX_PROBLEMS]]
        raise Unprocessable([_problem(one, place, model) for place, one in _deepest(placed)]) from None


def _refuse_many_unknown(model: type[BaseModel], value: dict[Any, Any]) -> None:
    """Pydantic makes an error of each, however many there are."""
    fields = model.model_fields
    if model.model_config.get("extra") != "forbid" or len(value) <= len(fields) + _MAX_PROBLEMS:
        return
    known = {*fields, *_names(model)}
    unknown = islice((str(name)[:_MAX_NAME_CHARS] for name in value if name not in known), _MAX_PROBLEMS)
    raise Unprocessable([unknown_field(name, name, ()) for name in unknown])


def _place(error: ErrorDetails, value: Any) -> tuple[int | str, ...]:
    """The path of what is wrong in ``value``, without the names that pydantic has for the branches of a union."""
    path: list[int | str] = []
    for n, part in enumerate(error["loc"]):
        is_missing = error["type"] == "missing" and n == len(error["loc"]) - 1
        if (isinstance(value, dict) and part in value) or (isinstance(value, list) and isinstance(part, int)):
            path.append(part)
            value = value[part]  # type: ignore[index]
        elif is_missing:
            path.append(part)
    return tuple(path)


def _deepest(
    placed: list[tuple[tuple[int | str, ...], ErrorDetails]],
) -> list[tuple[tuple[int | str, ...], ErrorDetails]]:
    """One of each place. Of a union, the branch that got furthest: others only say that they are not meant."""
    kept: dict[tuple[int | str, ...], ErrorDetails] = {}
    for place, error in placed:
        of_union = len(place) < len(error["loc"])
        if of_union and any(other != place and other[: len(place)] == place for other, _ in placed):
            continue
        kept.setdefault(place, error)
    return list(kept.items())


def _problem(error: ErrorDetails, place: tuple[int | str, ...], model: type[BaseModel]) -> Problem:
    kind = error["type"]
    field = ".".join(str(part) for part in place) or None
    if kind == "extra_forbidden" and field:
        return unknown_field(field, str(place[-1]), _names(_model_at(model, place[:-1])))
    fallback = "wrong_type" if kind.endswith("_type") else "invalid_value"
    message = _TEXTS.get(kind) or f"{error['msg'].removeprefix('Value error, ').rstrip('.')}."
    return Problem(_CODES.get(kind, fallback), message, field)


def _names(model: type[BaseModel] | None) -> list[str]:
    """Names of its fields outside."""
    return [one.alias or name for name, one in model.model_fields.items()] if model else []


def _model_at(model: type[BaseModel] | None, place: tuple[int | str, ...]) -> type[BaseModel] | None:
    """The model of what lies at ``place``; None where that is no one model."""
    for part in place:
        if model is None or isinstance(part, int):
            continue
        held = next((one for name, one in model.model_fields.items() if part in (name, one.alias)), None)
        model = _model_in(held.annotation) if held else None
    return model


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The first model in an annotation such as ``list[Model] | None``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for one in get_args(annotation) if (found := _model_in(one))), None)
