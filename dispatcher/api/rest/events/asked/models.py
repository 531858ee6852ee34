"""Filters of events as pydantic models. No behaviour."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, ValidatorFunctionWrapHandler, WithJsonSchema, WrapValidator
from pydantic_core import PydanticCustomError
from typing_extensions import TypeAliasType

from dispatcher.api.rest.models import NO_CONTROL, EpochMs, Moment, Name, Wire
from dispatcher.model.event_type import EventType
from dispatcher.model.status import Status
from dispatcher.policy.event_filter.scanning import MAX_CHARS

AnyTypeName = TypeAliasType(
    "AnyTypeName", Annotated[Name, WithJsonSchema({"enum": sorted(kind.value for kind in EventType)})]
)
StatusName = TypeAliasType("StatusName", Annotated[Name, WithJsonSchema({"enum": sorted(Status)})])
"""With a name in the document: generators make one type of it, alone and in lists."""


_FILTER: dict[str, Any] = {"type": "string", "minLength": 1, "maxLength": MAX_CHARS, "pattern": NO_CONTROL}


class FilterIn(Wire):
    """Conditions of a bulk job; all given ones must hold. Times as ISO 8601 or epoch milliseconds."""

    status: StatusName | list[StatusName] | None = None
    type: AnyTypeName | list[AnyTypeName] | None = None
    product_id: Name | None = None
    account_id: Name | None = None
    integration_id: Name | None = None
    since: Moment | EpochMs | None = Field(default=None, alias="from")
    until: Moment | EpochMs | None = Field(default=None, alias="to")
    q: Annotated[str, WithJsonSchema(_FILTER)] | None = None
    """A filter as a text, which holds beside the others: docs/filters.md."""


def _text_or_fields(value: Any, as_fields: ValidatorFunctionWrapHandler) -> Any:
    if isinstance(value, str):
        return FilterIn(q=value)
    if not isinstance(value, dict):
        raise PydanticCustomError("filter_type", "Give a text such as status:dead, or a JSON object.")
    return as_fields(value)


def _allow_text(schema: dict[str, Any]) -> None:
    fields = {"$ref": schema.pop("$ref")}
    schema["anyOf"] = [fields, _FILTER | {"description": "docs/filters.md"}]


FilterGiven = Annotated[FilterIn, WrapValidator(_text_or_fields), Field(json_schema_extra=_allow_text)]
"""Fields, or a text."""
