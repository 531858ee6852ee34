"""Answers about the verdict as pydantic models, for the OpenAPI document. No behaviour."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from dispatcher.api.rest.models import Wire
from dispatcher.model.verdict import ProblemKind


class ActionOut(Wire):
    """One thing to do: a line for a shell that runs as it is, and the request that does the same where there is one.

    ``advice`` instead of ``command`` says what no command of ours does.
    """

    name: str
    command: str | None = None
    advice: str | None = None
    method: str | None = None
    path: str | None = None
    body: dict[str, str] | None = None


class AcknowledgementOut(Wire):
    by: str
    at: str


class StandingProblemOut(Wire):
    """``since`` is when the fact began."""

    id: str
    kind: ProblemKind
    severity: Literal["page", "act", "info"]
    text: str
    since: str
    integration_id: str | None = None
    waiting: int | None = Field(None, description="Events that wait")
    actions: list[ActionOut]
    acknowledged: AcknowledgementOut | None = None


class StatusOut(Wire):
    """``ok``: nothing needs somebody. ``more``: problems beyond the 200 that are listed."""

    ok: bool
    text: str
    at: str
    problems: list[StandingProblemOut]
    more: int


class AcknowledgedOut(Wire):
    id: str
    by: str
    at: str
