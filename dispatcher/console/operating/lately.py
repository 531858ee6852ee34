"""Problems that ended some minutes ago, in words: whoever is called sees what it was although all is well again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dispatcher.console.frame.viewer import Viewer
from dispatcher.model.verdict import Ended, ProblemKind, Verdict
from dispatcher.policy.verdict.words import span

SHOWN = 5
_OF_LANES = {
    ProblemKind.CIRCUIT_OPEN: "{} could not be reached",
    ProblemKind.FAILING: "{} answered badly",
    ProblemKind.CREDENTIALS_FAILING: "{} got no token",
    ProblemKind.URL_SUSPENDED: "{} had a URL that was disabled",
    ProblemKind.INTEGRATION_DISABLED: "{} was disabled",
}
_OF_FLEET = {
    ProblemKind.STORE_AWAY: "Redis took no writes",
    ProblemKind.NO_WORKER: "no worker was there",
    ProblemKind.STORE_PRESSURE: "Redis was nearly full",
    ProblemKind.ACCEPT_FAILING: "emits failed",
    ProblemKind.OVERDUE: "nobody took what was due",
    ProblemKind.BACKLOG: "events arrived faster than they left",
}


@dataclass(frozen=True, slots=True)
class Over:
    """``text`` in the past tense; ``lasted`` as a span."""

    text: str
    lasted: str
    until_ms: int


async def lately(verdict: Verdict, viewer: Viewer) -> Sequence[Over]:
    """The newest of each integration within reach that needs nobody any more; newest first."""
    names = await viewer.names({one.integration_id for one in verdict.ended if one.integration_id})
    open_now = {(one.finding.kind, one.finding.integration_id or "") for one in verdict.problems}
    troubled = {integration_id for _, integration_id in open_now if integration_id}
    told: dict[tuple[str, str], Over] = {}
    for one in verdict.ended:
        key = ("", one.integration_id) if one.integration_id else (one.kind.value, "")
        holds = one.integration_id in troubled or (one.kind, "") in open_now
        if not holds and key not in told and (text := _text(one, names)):
            told[key] = Over(text, span(one.until_ms - one.since_ms), one.until_ms)
    return list(told.values())[:SHOWN]


def _text(one: Ended, names: dict[str, str]) -> str | None:
    """None = its integration is gone, or out of reach."""
    if not one.integration_id:
        return _OF_FLEET.get(one.kind)
    name = names.get(one.integration_id)
    return _OF_LANES[one.kind].format(name) if name and one.kind in _OF_LANES else None
