"""The product host's report as a pydantic model. No behaviour."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, StrictBool, StringConstraints, WithJsonSchema
from pydantic.alias_generators import to_camel

from dispatcher.api.rest.models import Name


def _truth(value: Any) -> Any:
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


Success = Annotated[
    StrictBool, BeforeValidator(_truth), WithJsonSchema({"anyOf": [{"type": "boolean"}, {"enum": ["true", "false"]}]})
]
"""Hosts write it either way."""


class ResultIn(BaseModel):
    """A product host's report about an event that it answered with 202."""

    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", frozen=True, defer_build=True)

    success: Success
    error_code: Name | None = None
    message: Annotated[str, StringConstraints(max_length=4096)] | None = None
    account_identifier: Name | None = None
