"""A problem's actions as the console offers them: a form, a way to another page, or the line for a shell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from dispatcher.console.navigation import HOME
from dispatcher.console.viewer import Viewer
from dispatcher.model.access import Scope
from dispatcher.model.verdict import Action, Problem, Severity

SEVERITIES = {
    Severity.PAGE: ("bad", "urgent"),
    Severity.ACT: ("warn", "to do"),
    Severity.INFO: ("off", "for information"),
}
"""How each is shown: its colour and its words."""


@dataclass(frozen=True, slots=True)
class Remedy:
    """``path`` None: a line for a shell, in ``command``. ``posted``: a form that changes something at once."""

    name: str
    path: str | None
    posted: bool = False
    command: str = ""


@dataclass(frozen=True, slots=True)
class Trouble:
    """A problem as the overview shows it."""

    problem: Problem
    look: str
    severity: str
    remedies: Sequence[Remedy]


def trouble(problem: Problem, viewer: Viewer) -> Trouble:
    look, words = SEVERITIES[problem.severity]
    offered = (_remedy(action, problem, viewer) for action in problem.finding.actions)
    return Trouble(problem, look, words, [one for one in offered if one is not None])


def _remedy(action: Action, problem: Problem, viewer: Viewer) -> Remedy | None:
    """None: the viewer may not do it, or knows of it already."""
    integration_id = problem.finding.integration_id
    if action.name == "Why" and integration_id:
        asked = quote(f"status:retrying integration:{integration_id}")
        return Remedy("Why", f"{HOME}/events?q={asked}") if viewer.sees_events else None
    if action.path is None:
        return Remedy(action.name, None, command=action.command)
    if not viewer.caller.may(Scope.OPS_WRITE):
        return None
    last = action.path.rpartition("/")[2]
    if last == "pause":
        return Remedy("Pause", f"{HOME}/lanes/{integration_id}/pause")
    if last == "resume":
        return Remedy(action.name, f"{HOME}/lanes/{integration_id}/resume", posted=True)
    if last == "redeliveries":
        return Remedy(action.name, f"{HOME}/issues")
    if last == "acknowledge":
        known = problem.acknowledged is not None
        return (
            None
            if known
            else Remedy(action.name, f"{HOME}/problems/{quote(problem.id, safe='')}/acknowledge", posted=True)
        )
    return Remedy(action.name, None, command=action.command)
