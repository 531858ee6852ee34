"""Requests about events, and the answers to what was accepted, as pydantic models. No behaviour."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, ValidatorFunctionWrapHandler, WithJsonSchema, WrapValidator
from typing_extensions import TypeAliasType

from dispatcher.api.rest.models import EpochMs, Moment, Name, ProblemOut, Wire
from dispatcher.model.event_type import EventType, emittable_names
from dispatcher.model.status import Status
from dispatcher.policy.event_filter.scanning import MAX_CHARS

TypeName = Annotated[Name, WithJsonSchema({"enum": emittable_names()})]
AnyTypeName = TypeAliasType(
    "AnyTypeName", Annotated[Name, WithJsonSchema({"enum": sorted(kind.value for kind in EventType)})]
)
StatusName = TypeAliasType("StatusName", Annotated[Name, WithJsonSchema({"enum": sorted(Status)})])
"""With a name in the document: generators make one type of it, alone and in lists."""


class EventIn(Wire):
    """One event to accept. Without ``accountId`` nothing orders it."""

    type: TypeName
    product_id: Name
    account_id: Name | None = None
    payload: dict[str, Any] | None = None
    creator: dict[str, Any] | None = None
    flag: Literal["DEVELOPMENT"] | None = None
    subscription_id: Name | None = None


class FilterIn(Wire):
    """Conditions of a bulk job; all given ones must hold. Times as ISO 8601 or epoch milliseconds."""

    status: StatusName | list[StatusName] | None = None
    type: AnyTypeName | list[AnyTypeName] | None = None
    product_id: Name | None = None
    account_id: Name | None = None
    integration_id: Name | None = None
    since: Moment | EpochMs | None = Field(default=None, alias="from")
    until: Moment | EpochMs | None = Field(default=None, alias="to")
    q: Annotated[str, WithJsonSchema({"type": "string", "maxLength": MAX_CHARS})] | None = None
    """A filter as a text, which holds beside the others: docs/filters.md."""


def _text_or_fields(value: Any, as_fields: ValidatorFunctionWrapHandler) -> Any:
    return FilterIn(q=value) if isinstance(value, str) else as_fields(value)


def _allow_text(schema: dict[str, Any]) -> None:
    fields = {"$ref": schema.pop("$ref")}
    schema["anyOf"] = [fields, {"type": "string", "maxLength": MAX_CHARS, "description": "docs/filters.md"}]


FilterGiven = Annotated[FilterIn, WrapValidator(_text_or_fields), Field(json_schema_extra=_allow_text)]
"""Fields, or a text."""


class AcceptedOut(Wire):
    id: str
    event_url: str
    status: Literal["QUEUED"]


class BatchItemOut(Wire):
    index: int
    status: int
    id: str | None = None
    errors: list[ProblemOut] | None = None


class BatchOut(Wire):
    results: list[BatchItemOut]
