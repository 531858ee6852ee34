"""Pauses of integrations and types as pydantic models. No behaviour."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints, WithJsonSchema

from dispatcher.api.rest.models import NO_CONTROL, EpochMs, Moment, Name, Wire

_HOURS = "[1-9][0-9]{0,2}|1[0-9]{3}|20[0-9]{2}"
_DURATION = {
    "type": "string",
    "pattern": f"^([1-9][0-9]{{0,5}}[sS]|[1-9][0-9]{{0,4}}[mM]|({_HOURS})[hH]|([1-9]|[1-8][0-9]|90)[dD])$",
}
Duration = Annotated[Name, WithJsonSchema(_DURATION)]
"""Checked by the handler, whose messages say more."""


class PauseIn(Wire):
    """All of it may be left out. ``for`` as in ``2h``; a pause without an end lasts until somebody resumes it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"reason": "deploy", "for": "2h"}],
            "not": {
                "required": ["for", "until"],
                "properties": {"for": {"type": "string"}, "until": {"type": ["string", "integer"]}},
            },
        }
    )

    reason: Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=NO_CONTROL)] | None = None
    lasting: Annotated[Duration | None, Field(alias="for")] = None
    until: Annotated[Moment | EpochMs | None, Field(examples=[None])] = None
    """A time to come, within 90 days; not beside ``for``."""


class PauseOut(Wire):
    """``until`` null: it ends when somebody resumes the integration."""

    by: str | None
    reason: str | None
    until: str | None


class LaneOut(Wire):
    integration_id: str
    paused: bool
    pause: PauseOut | None


class TypePauseOut(Wire):
    type: str
    paused: bool
    pause: PauseOut | None


class PausedLanesOut(Wire):
    paused: int = Field(description="Integrations that are held back")
    pause: PauseOut


class ResumedLanesOut(Wire):
    resumed: int = Field(description="Integrations that were paused and go on; 0 after a dry run")
    matched: int = Field(description="Integrations that were paused")
    waiting: int = Field(description="Events that waited there")


class ResumeAllIn(Wire):
    """All of it may be left out."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"dryRun": True}]})

    dry_run: bool = False
    """Only count; nothing is resumed."""
