"""The end of a call about a step, as what it means for the installation: done, refused, away, held, later. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import orjson

from dispatcher.errors import Problem
from dispatcher.model.attempt import Attempt, Outcome
from dispatcher.model.event import EventState
from dispatcher.model.queue import Reason
from dispatcher.model.status import Status
from dispatcher.policy.answers.outcome import GONE
from dispatcher.policy.secrets.redaction import MAX_EXCERPT_BYTES

_WAIT_AND_SEE = frozenset({408, 425, 429})
"""HTTP refusals that say nothing about the step."""
MAX_PROBLEMS = 20
MAX_WORDS = 1000
FIELD = "function"
NOT_ASKED: dict[Reason, Problem] = {
    Reason.URL_SUSPENDED: Problem(
        "url_suspended",
        "The URL of these calls answered 410 Gone and is suspended, so the product host is not asked. Whoever "
        "publishes the integration enables that URL or publishes another one; call again after that.",
        FIELD,
    ),
    Reason.PAUSED: Problem(
        "paused", "The integration is paused, so the product host is not asked. Call again once it is resumed.", FIELD
    ),
}
"""Reasons for which a call waits that nothing but somebody's hand ends; the message is the note of the call's event."""
_HELD_BY = {problem.message: problem for problem in NOT_ASKED.values()}


class Answered(StrEnum):
    DONE = "DONE"
    REFUSED = "REFUSED"
    AWAY = "AWAY"
    """Nobody knows: the host did not answer, or nobody asked it in time."""
    HELD = "HELD"
    """Nobody asks the host until somebody acts."""
    LATER = "LATER"
    """The host will report it."""


@dataclass(frozen=True, slots=True)
class StepAnswer:
    """``problems``: the host's words. ``updates``: steps by their ``installerFunction``, and whether each is done."""

    answered: Answered
    problems: tuple[Problem, ...] = ()
    updates: dict[str, bool] | None = None

    @property
    def text(self) -> str | None:
        return " ".join(problem.message for problem in self.problems) or None


def essence(body: bytes) -> bytes:
    """A host's answer as it is kept to be read again: without white space, and if that is too long without all but
    what is read. Anything but a JSON object stays as it is.
    """
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return body
    if not isinstance(answer, dict):
        return body
    compact = orjson.dumps(answer)
    return compact if len(compact) <= MAX_EXCERPT_BYTES else orjson.dumps(_read_of(answer))


def read_step_answer(state: EventState, attempts: Sequence[Attempt]) -> StepAnswer | None:
    """None: the call has not ended."""
    last = attempts[-1] if attempts else None
    if state.status is Status.SUCCEEDED:
        return StepAnswer(Answered.DONE, updates=_updates(_object(last)))
    if state.status is Status.AWAITING_RESULT:
        return StepAnswer(Answered.LATER)
    if not state.consumed:
        return None
    if state.status is Status.SKIPPED:
        text = "The integration has no URL that could be asked: configure and publish one, then try again."
        return StepAnswer(Answered.REFUSED, (Problem("not_configured", text, FIELD),))
    if held_by := _held_by(state):
        return StepAnswer(Answered.HELD, (held_by,))
    if _is_refusal(state, last):
        return StepAnswer(Answered.REFUSED, _words(state, last))
    text = f"The product host did not answer: {state.error_message or 'nobody asked it in time'}. Try again."
    return StepAnswer(Answered.AWAY, (Problem("host_away", text[:MAX_WORDS], FIELD),))


def _held_by(state: EventState) -> Problem | None:
    words = state.error_message or ""
    gone = state.status is Status.DEAD and words.startswith(GONE)
    return NOT_ASKED[Reason.URL_SUSPENDED] if gone else _HELD_BY.get(words)


def _is_refusal(state: EventState, attempt: Attempt | None) -> bool:
    """The host said no: in its answer, in a result that it reported later, or by the status of its answer."""
    if state.status is not Status.FAILED or attempt is None:
        return False
    if attempt.outcome is Outcome.REFUSED or state.asynchronous:
        return True
    status = attempt.http_status
    return status is not None and 400 <= status < 500 and status not in _WAIT_AND_SEE


def _read_of(answer: dict[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = {name: one for name in ("errorCode", "message") if (one := _text(answer.get(name)))}
    if "success" in answer:
        kept["success"] = answer["success"]
    updates = _updates(answer)
    if updates is not None:
        kept["stepsToUpdate"] = [{"installerFunction": name, "completed": done} for name, done in updates.items()]
    if problems := _problems(answer):
        kept["errors"] = [problem.as_json() for problem in problems]
    return kept


def _updates(body: dict[str, Any]) -> dict[str, bool] | None:
    listed = body.get("stepsToUpdate")
    if not isinstance(listed, list):
        return None
    updates = {}
    for one in listed:
        function, completed = (one.get("installerFunction"), one.get("completed")) if isinstance(one, dict) else (0, 0)
        if isinstance(function, str) and isinstance(completed, bool):
            updates[function] = completed
    return updates


def _words(state: EventState, attempt: Attempt | None) -> tuple[Problem, ...]:
    """Every error that the host lists, else the one that its answer is."""
    body = _object(attempt)
    if found := _problems(body):
        return found
    message = _text(body.get("message")) or state.error_message or "The product host says that this is not done."
    return (Problem(_text(body.get("errorCode")) or "step_refused", message[:MAX_WORDS], FIELD),)


def _problems(body: dict[str, Any]) -> tuple[Problem, ...]:
    listed = body.get("errors")
    found = map(_problem, listed[:MAX_PROBLEMS]) if isinstance(listed, list) else ()
    return tuple(one for one in found if one)


def _problem(error: Any) -> Problem | None:
    if isinstance(error, str):
        return Problem("step_refused", error[:MAX_WORDS], FIELD)
    if not isinstance(error, dict) or not _text(error.get("message")):
        return None
    return Problem(
        _text(error.get("code")) or "step_refused", _text(error["message"]), _text(error.get("field")) or FIELD
    )


def _object(attempt: Attempt | None) -> dict[str, Any]:
    try:
        body = orjson.loads(attempt.response_body) if attempt and attempt.response_body else None
    except orjson.JSONDecodeError:
        return {}
    return body if isinstance(body, dict) else {}


def _text(value: Any) -> str:
    return value[:MAX_WORDS] if isinstance(value, str) else ""
