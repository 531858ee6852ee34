"""Parts that the pydantic models of all rooms share: names, moments, errors, the form on the wire. No behaviour."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema
from pydantic.alias_generators import to_camel

from dispatcher.api.http.request.query import MAX_EPOCH_MS, TIME
from dispatcher.model.access import ADMIN_SCOPES

NO_CONTROL = r"^[^\x00-\x1f\x7f-\x9f]+$"
Name = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=NO_CONTROL)]
ScopeName = Annotated[Name, WithJsonSchema({"enum": sorted(ADMIN_SCOPES)})]


def _whole(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE = BeforeValidator(_whole)
"""Takes ``12.0`` for 12, as JSON Schema does (draft 2020-12, §4.2.3)."""
EpochMs = Annotated[int, Field(ge=0, le=MAX_EPOCH_MS), WHOLE]
Moment = Annotated[Name, WithJsonSchema({"type": "string", "pattern": TIME, "description": "ISO 8601 or epoch ms"})]
"""Checked by the handlers, whose messages say more; the document says what they take."""

_ORIGIN = r"^https?://[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*(:[1-9][0-9]{0,3})?$"
Origin = Annotated[
    str,
    StringConstraints(min_length=1, max_length=255),
    WithJsonSchema({"type": "string", "maxLength": 255, "pattern": _ORIGIN, "examples": ["https://host.example"]}),
]
"""Checked where origins are, whose messages say more."""

LOGO_FORM = r"^(data:image/(png|jpeg|gif|webp);base64,([A-Za-z0-9+/]{4})+|/[A-Za-z0-9._~-]+(/[A-Za-z0-9._~-]+)*)$"
"""Of images that pages show, but for some that are no less good."""
_LABEL = "[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
URL_FORM = rf"^https?://{_LABEL}(\.{_LABEL})+(:[0-9]{{1,4}})?(/[A-Za-z0-9._~/-]*)?$"
"""Of URLs that are always well-formed, for the document; what is allowed beside is checked where they are used."""


class Wire(BaseModel):
    """camelCase outside, snake_case inside; nothing unknown, nothing converted."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        extra="forbid",
        strict=True,
        frozen=True,
        defer_build=True,  # a start has no time for two hundred validators
    )


class ProblemOut(Wire):
    code: str
    message: str
    field: str | None
    blocked_by: str | None = None
    """Of ``behind_event`` only."""
    position: int | None = None
    length: int | None = None
    """Of ``invalid_filter`` only: the characters that are wrong, the first of a text is 1."""


class ErrorsOut(Wire):
    errors: list[ProblemOut]
    request_id: str
