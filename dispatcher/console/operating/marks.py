"""Moments that explain a chart: pauses, publishing, circuits that opened. Read from the audit log and the verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dispatcher.console.frame.viewer import Viewer
from dispatcher.model.audit_entry import DONE, REQUESTED, Action
from dispatcher.model.verdict import ProblemKind, Verdict
from dispatcher.store.audit_log.reading import AuditReader

LOOKED = 100
"""Entries of the audit log that are looked at, the newest."""
MOST = 30
_NOTED = {
    "pauseLane": ("off", "paused"),
    "resumeLane": ("ok", "resumed"),
    "publishProductIntegration": ("run", "published"),
}
"""By the action's name: colour and word."""


@dataclass(frozen=True, slots=True)
class Mark:
    at_ms: int
    look: str
    text: str


async def marks_since(from_ms: int, verdict: Verdict, viewer: Viewer) -> Sequence[Mark]:
    """Newest first, of integrations within the viewer's reach."""
    newest = [entry.action() for entry in await AuditReader(viewer.services.audit.redis).newest(LOOKED)]
    actions = [one for one in newest if one.name in _NOTED and one.at_ms >= from_ms and _was_done(one)]
    names = await viewer.names({action.object_id for action in actions})
    noted = [_noted(one, names[one.object_id]) for one in actions if one.object_id in names]
    opened = [
        Mark(one.finding.since_ms, "bad", one.finding.text.partition(";")[0].rstrip("."))
        for one in verdict.problems
        if one.finding.kind is ProblemKind.CIRCUIT_OPEN and one.finding.since_ms >= from_ms
    ]
    return sorted((*noted, *opened), key=lambda mark: -mark.at_ms)[:MOST]


def _was_done(action: Action) -> bool:
    return action.outcome in (DONE, REQUESTED)


def _noted(action: Action, name: str) -> Mark:
    look, word = _NOTED[action.name]
    return Mark(action.at_ms, look, f"{name} {word} by {action.author.client_id}")
