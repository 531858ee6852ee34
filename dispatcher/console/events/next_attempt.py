"""The next attempt of an event, and why it is then. Judged by what is stored; what nothing explains is left unsaid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dispatcher.model.attempt import Attempt
from dispatcher.model.event import EventState
from dispatcher.model.status import Status
from dispatcher.policy.pace.retry import JITTER, parse_retry_after
from dispatcher.policy.verdict.words import span

_SLACK_S = 2.0
"""Between the end of an attempt and the moment that its outcome was written."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Seconds between the last attempt's end and the next one."""

    seconds: float

    def is_about(self, wanted_s: float, spread: float) -> bool:
        return wanted_s * (1 - spread) - _SLACK_S <= self.seconds <= wanted_s * (1 + spread) + _SLACK_S


def why_then(state: EventState, attempts: Sequence[Attempt], schedule_s: Sequence[float]) -> str | None:
    """By the schedule, or because its host asked for it; None = neither, or brought forward by somebody."""
    if state.status is not Status.RETRYING or state.due_ms is None or not attempts:
        return None
    last = attempts[-1]
    ended_ms = last.started_ms + last.duration_ms
    gap = Gap((state.due_ms - ended_ms) / 1000)
    asked = {name.lower(): text for name, text in (last.response_headers or {}).items()}.get("retry-after")
    asked_s = parse_retry_after(asked, ended_ms / 1000) if asked else None
    wait = schedule_s[state.tries - 1] if 0 < state.tries <= len(schedule_s) else None
    if asked_s is not None and (wait is None or asked_s > wait) and gap.is_about(asked_s, 0):
        return f"its host asked for it (Retry-After: {asked})"
    if wait is not None and gap.is_about(wait, JITTER):
        return f"wait {state.tries} of {len(schedule_s)} of the schedule: {span(wait * 1000)}, give or take a fifth"
    return None
