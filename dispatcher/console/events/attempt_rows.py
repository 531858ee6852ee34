"""Attempts as an event's page draws them: bars that share one scale, the phases within, the one that failed. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dispatcher.model.attempt import Attempt, Outcome

SCALE = 1000
LEAST_WIDE = 4
_GOOD = frozenset({Outcome.OK, Outcome.ACCEPTED})
_NAMES = ("token", "name", "connecting", "waiting", "reading")
"""Of the phases, in their order."""
_FAILED_AT = {
    Outcome.TOKEN_FAILED: "token",
    Outcome.CONNECT_FAILED: "connecting",
    Outcome.TIMEOUT: "waiting",
    Outcome.HTTP_ERROR: "answer",
    Outcome.REFUSED: "answer",
    Outcome.INVALID_RESPONSE: "answer",
    Outcome.BLOCKED: "address",
    Outcome.CONFIGURATION_ERROR: "preparing",
}


@dataclass(frozen=True, slots=True)
class Part:
    """One phase. ``begins`` and ``wide``: per mille of the scale."""

    name: str
    ms: float
    begins: int
    wide: int


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """``failed_at``: the phase that went wrong; empty = none did."""

    attempt: Attempt
    wide: int
    look: str
    parts: Sequence[Part]
    failed_at: str


def attempt_rows(attempts: Sequence[Attempt]) -> list[AttemptRow]:
    """The newest first."""
    longest = max((one.duration_ms for one in attempts), default=0) or 1
    return [_row(one, longest) for one in reversed(attempts)]


def _row(attempt: Attempt, longest: float) -> AttemptRow:
    good = attempt.outcome in _GOOD
    failed_at = "" if good else _FAILED_AT.get(attempt.outcome, "")
    if attempt.outcome is Outcome.TIMEOUT and "no connection" in (attempt.error_detail or ""):
        failed_at = "connecting"
    wide = max(LEAST_WIDE, round(SCALE * attempt.duration_ms / longest))
    return AttemptRow(attempt, wide, "ok" if good else "bad", _parts(attempt, longest), failed_at)


def _parts(attempt: Attempt, longest: float) -> Sequence[Part]:
    """Phases that took a time; what is left is the dispatcher's own, and comes first."""
    if attempt.phases is None:
        return ()
    own_ms = max(0.0, attempt.duration_ms - sum(attempt.phases))
    parts, begins_ms = [], 0.0
    for name, ms in (("own", own_ms), *zip(_NAMES, attempt.phases, strict=True)):
        if round(ms, 1) > 0:
            parts.append(Part(name, ms, round(SCALE * begins_ms / longest), max(1, round(SCALE * ms / longest))))
        begins_ms += ms
    return parts
