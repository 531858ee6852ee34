"""Pauses over REST: what is asked for, how one is shown, and the two routes of whatever can be paused."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from pydantic import BaseModel

from dispatcher.api.http.request.body import JSON, read_body, require_media
from dispatcher.api.http.request.query import moment_ms
from dispatcher.api.http.request.validation import validated
from dispatcher.api.http.route import CALLER, Handler, Route
from dispatcher.api.rest.events.shown.event_json import iso_or_none
from dispatcher.api.rest.operating.lane_models import PauseIn
from dispatcher.api.services import SERVICES
from dispatcher.errors import InvalidRequest, Problem, Unprocessable
from dispatcher.model.access import Scope
from dispatcher.model.queue import Pause
from dispatcher.policy.pace.pauses import pause_end
from dispatcher.policy.strict_json import read_object

TAG = "operations"

Act = tuple[Handler, str, type[BaseModel]]
"""A handler, its summary and its answer."""


def pausing(
    path: str, pause: Act, resume: Act, *, vendors: bool = False, resume_body: type[BaseModel] | None = None
) -> tuple[Route, Route]:
    """``POST …/pause``, whose body may be left out, and ``POST …/resume``."""
    held, summary, answer = pause
    freed, summary_after, answer_after = resume
    scopes = (Scope.OPS_WRITE,)
    return (
        Route(
            "POST",
            f"{path}/pause",
            held,
            scopes,
            summary,
            body=PauseIn,
            body_optional=True,
            answers={200: answer},
            tag=TAG,
            vendors=vendors,
        ),
        Route(
            "POST",
            f"{path}/resume",
            freed,
            scopes,
            summary_after,
            body=resume_body,
            body_optional=resume_body is not None,
            answers={200: answer_after},
            tag=TAG,
            vendors=vendors,
        ),
    )


async def asked_pause(request: web.Request) -> Pause:
    """As the body asks for; there may be none."""
    raw = await read_body(request)
    if raw:
        require_media(request, JSON)
    asked = validated(PauseIn, read_object(raw)) if raw else PauseIn()
    ends_ms = pause_end(asked.lasting, _until_ms(asked), request.app[SERVICES].now_ms())
    return Pause(request[CALLER].client_id, asked.reason or "", ends_ms)


def _until_ms(asked: PauseIn) -> int | None:
    if asked.until is None:
        return None
    try:
        return moment_ms({"until": str(asked.until)}, "until")
    except InvalidRequest as error:
        raise Unprocessable([Problem("invalid_value", p.message, p.field) for p in error.problems]) from None


def pause_json(hold: Pause) -> dict[str, Any]:
    return {"by": hold.by or None, "reason": hold.reason or None, "until": iso_or_none(hold.until_ms)}
