"""A problem's actions as the console offers them: a form, a way to another page, or the line for a shell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from dispatcher.console.frame.navigation import HOME
from dispatcher.console.frame.viewer import Viewer
from dispatcher.model.verdict import Action, Problem, ProblemKind, Severity

SEVERITIES = {
    Severity.PAGE: ("bad", "urgent"),
    Severity.ACT: ("warn", "to do"),
    Severity.INFO: ("off", "for information"),
}
"""Colour and words of each."""


_TRIALS = frozenset({"Try now", "Try credentials"})
"""Answered by a ping of the integration."""


@dataclass(frozen=True, slots=True)
class Remedy:
    """``path`` None: a line for a shell, in ``command``. ``posted``: a form that does it, or asks once more."""

    name: str
    path: str | None
    posted: bool = False
    command: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    """That are sent with the form."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """A problem as the overview shows it."""

    problem: Problem
    look: str
    severity: str
    remedies: Sequence[Remedy]


def troubles(problems: Sequence[Problem], viewer: Viewer) -> list[Trouble]:
    """Of one verdict. What is paused already is not to be paused: a problem lasts some time beyond its pause."""
    found = (one.finding for one in problems)
    paused = {one.integration_id for one in found if one.kind is ProblemKind.PAUSED and one.integration_id}
    return [_trouble(one, viewer, is_paused=one.finding.integration_id in paused) for one in problems]


def _trouble(problem: Problem, viewer: Viewer, *, is_paused: bool) -> Trouble:
    look, words = SEVERITIES[problem.severity]
    actions = (one for one in problem.finding.actions if not (is_paused and (one.path or "").endswith("/pause")))
    offered = (_remedy(action, problem, viewer) for action in actions)
    return Trouble(problem, look, words, [one for one in offered if one is not None])


def _remedy(action: Action, problem: Problem, viewer: Viewer) -> Remedy | None:
    """None: the viewer may not do it, or knows of it already."""
    if action.path is None:
        return _look(action, problem, viewer) or Remedy(action.name, None, command=action.command)
    return _change(action, problem) if viewer.operates else None


def _look(action: Action, problem: Problem, viewer: Viewer) -> Remedy | None:
    """The page that answers it; None = there is none, or not for this viewer."""
    integration_id = problem.finding.integration_id
    if action.name == "Why" and integration_id and viewer.sees_events:
        asked = quote(f"status:retrying integration:{integration_id}")
        return Remedy(action.name, f"{HOME}/events?q={asked}")
    if action.name in _TRIALS and integration_id and viewer.sees_integrations:
        return Remedy(action.name, f"{HOME}/integrations/{integration_id}/pings")
    if action.name == "Look at the workers" and viewer.sees_queue:
        return Remedy(action.name, f"{HOME}/workers")
    return None


def _change(action: Action, problem: Problem) -> Remedy | None:
    """The form that does it, or the page that asks for more."""
    if problem.finding.kind is ProblemKind.PAUSED and problem.finding.integration_id is None:
        return Remedy(action.name, f"{HOME}/event-types/{problem.finding.topic}/resume", posted=True)
    lane = f"{HOME}/lanes/{problem.finding.integration_id}"
    match (action.path or "").rpartition("/")[2]:
        case "pause":
            return Remedy(action.name, f"{lane}/pause")
        case "resume":
            return Remedy(action.name, f"{lane}/resume", posted=True)
        case "redeliveries":
            fields = {"action": "redeliver", "q": (action.body or {}).get("filter", "")}
            return Remedy(action.name, f"{HOME}/redeliveries/preview", posted=True, fields=fields)
        case "acknowledge" if problem.acknowledged:
            return None
        case "acknowledge":
            path = f"{HOME}/problems/{quote(problem.id, safe='')}/acknowledge"
            return Remedy(action.name, path, posted=True)
    return Remedy(action.name, None, command=action.command)
