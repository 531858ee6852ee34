"""The form of a pause, whatever it holds: who, why, until when. Holds nothing itself."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from dispatcher.api.http.request.query import moment_ms
from dispatcher.console.frame.screen import own_path
from dispatcher.console.frame.sentences import back
from dispatcher.console.frame.viewer import Viewer
from dispatcher.errors import InvalidRequest, StoreUnavailable
from dispatcher.model.queue import Pause
from dispatcher.policy.pace.pauses import pause_end

MAX_REASON_CHARS = 500
_LASTING = (
    ("", "until somebody resumes it"),
    ("15m", "for 15 minutes"),
    ("1h", "for an hour"),
    ("4h", "for 4 hours"),
    ("24h", "for a day"),
)


@dataclass(frozen=True, slots=True)
class Held:
    """All that a pause would hold: its name for people, its constant, what happens then, and where the form goes."""

    name: str
    constant: str
    effect: str
    path: str


def asked_hold(viewer: Viewer, fields: Mapping[str, str]) -> Pause:
    """As the form says it. Raises ``RequestError`` for a reason or an end that does not fit."""
    reason, lasting, until = fields.get("reason", "").strip(), fields.get("for"), fields.get("until", "").strip()
    if len(reason) > MAX_REASON_CHARS or any(ord(char) < 32 for char in reason):
        raise InvalidRequest.of("invalid_value", f"Give one line of {MAX_REASON_CHARS} characters at most.", "reason")
    until_ms = moment_ms({"until": until}, "until") if until else None
    return Pause(viewer.caller.client_id, reason, pause_end(lasting or None, until_ms, viewer.now_ms))


def noted_of(hold: Pause) -> dict[str, object]:
    """As the audit log keeps it."""
    return {name: value for name, value in (("reason", hold.reason), ("until", hold.until_ms)) if value}


def hold_form(
    viewer: Viewer, held: Held, given: Mapping[str, str], wrong: Mapping[str, str] | None = None, status: int = 200
) -> web.Response:
    values = {"held": held, "given": given, "wrong": wrong or {}, "lasting": _LASTING}
    return viewer.page("pause.html", status, back=own_path(given.get("back")), **values)


async def done(viewer: Viewer, fields: Mapping[str, str], word: str) -> web.Response:
    """Back to where the form was asked for, under a verdict that knows of it."""
    with contextlib.suppress(StoreUnavailable):
        await viewer.watch.evaluation.judge(out_of_turn=True)
    return back(own_path(fields.get("back")), word)
