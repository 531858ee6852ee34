"""Settings in words, with the values that are in force. Shows no secret, and no password in a URL."""

from __future__ import annotations

from pathlib import Path

from annotated_types import Ge, Gt, Le
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from dispatcher.policy.secrets.redaction import MASK
from dispatcher.telemetry.masking import safe_text


def reference(settings: BaseModel) -> list[dict[str, object]]:
    """One entry for each field of ``settings``, in the order of the class."""
    return [_entry(name, field, getattr(settings, name)) for name, field in type(settings).model_fields.items()]


def _entry(name: str, field: FieldInfo, value: object) -> dict[str, object]:
    return {
        "name": f"DISPATCHER_{name.upper()}",
        "default": shown(field.default),
        "bounds": bounds(field),
        "description": field.description,
        "value": shown(value),
    }


def bounds(field: FieldInfo) -> str | None:
    """The numbers that it takes, such as ``1 to 32``; None = any, or no number."""
    said = {type(one): one for one in field.metadata}
    least, above, most = said.get(Ge), said.get(Gt), said.get(Le)
    from_ = f"{least.ge:,}" if least else f"above {above.gt:,}" if above else None
    if from_ is None:
        return None
    if most is None:
        return f"{from_} or more" if least else from_
    return f"{from_} to {most.le:,}" if least else f"{from_}, to {most.le:,}"


def shown(value: object) -> object:
    """As it would be written in the environment, secrets masked; numbers, switches and None stay what they are."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, SecretStr):
        return MASK
    if isinstance(value, tuple):
        return ",".join(_part(item) for item in value)
    return str(value) if isinstance(value, Path) else safe_text(str(value))


def _part(item: object) -> str:
    return f"{item:g}" if isinstance(item, float) else str(shown(item))
