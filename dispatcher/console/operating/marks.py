"""Moments that explain a chart: pauses, publishing, circuits. Read from the audit log and the verdict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dispatcher.console.frame.viewer import Viewer
from dispatcher.console.frame.words import TYPE_WORDS
from dispatcher.model.audit_entry import DONE, REQUESTED, Action
from dispatcher.model.event_type import EventType
from dispatcher.model.verdict import Ended, ProblemKind, Verdict
from dispatcher.store.audit_log.reading import AuditReader

LOOKED = 100
"""Entries of the audit log that are looked at, the newest."""
MOST = 30
_OF_LANES = {
    "pauseLane": ("off", "paused"),
    "resumeLane": ("ok", "resumed"),
    "publishProductIntegration": ("run", "published"),
}
"""By the action's name: colour and word."""
_OF_ALL = {
    "pauseAllLanes": ("off", "Every integration paused"),
    "resumeAllLanes": ("ok", "Every integration resumed"),
    "pauseType": ("off", "“{}” paused everywhere"),
    "resumeType": ("ok", "“{}” resumed everywhere"),
}
"""Told to whoever sees the whole queue."""


@dataclass(frozen=True, slots=True)
class Mark:
    at_ms: int
    look: str
    text: str


async def marks_since(from_ms: int, verdict: Verdict, viewer: Viewer) -> Sequence[Mark]:
    """Newest first, of integrations within the viewer's reach."""
    newest = [entry.action() for entry in await AuditReader(viewer.services.audit.redis).newest(LOOKED)]
    actions = [one for one in newest if one.outcome in (DONE, REQUESTED)]
    of_lanes = {one.object_id for one in actions if one.name in _OF_LANES}
    names = await viewer.names(of_lanes | {one.integration_id for one in verdict.ended})
    found = [
        *(_of_lane(one, names[one.object_id]) for one in actions if one.name in _OF_LANES and one.object_id in names),
        *(_of_all(one) for one in actions if one.name in _OF_ALL and viewer.sees_queue),
        *_open(verdict),
        *_circuits(verdict.ended, names),
    ]
    return sorted((one for one in found if one.at_ms >= from_ms), key=lambda mark: -mark.at_ms)[:MOST]


def _of_lane(action: Action, name: str) -> Mark:
    look, word = _OF_LANES[action.name]
    return Mark(action.at_ms, look, f"{name} {word} by {action.author.client_id}")


def _of_all(action: Action) -> Mark:
    look, text = _OF_ALL[action.name]
    known = action.object_id in set(EventType)
    name = TYPE_WORDS[EventType(action.object_id)] if known else action.object_id
    return Mark(action.at_ms, look, f"{text.format(name)} by {action.author.client_id}")


def _open(verdict: Verdict) -> Iterator[Mark]:
    for problem in verdict.problems:
        finding = problem.finding
        if finding.kind is ProblemKind.CIRCUIT_OPEN:
            yield Mark(finding.since_ms, "bad", finding.text.partition(";")[0].rstrip("."))


def _circuits(ended: Sequence[Ended], names: Mapping[str, str]) -> Iterator[Mark]:
    """That were open: both ends of each."""
    for one in ended:
        if one.kind is ProblemKind.CIRCUIT_OPEN and one.integration_id in names:
            name = names[one.integration_id]
            yield Mark(one.since_ms, "bad", f"{name} could not be reached: its circuit opened")
            yield Mark(one.until_ms, "ok", f"{name} can be reached again: its circuit closed")
