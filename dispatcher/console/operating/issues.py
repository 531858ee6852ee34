"""Failures by cause, newest first to act on: redeliver, resolve or acknowledge all of one."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from aiohttp import web

from dispatcher.api.auditing import noted
from dispatcher.api.http.request.known_parameters import refuse_unheeded
from dispatcher.api.http.request.query import integer
from dispatcher.console.frame.navigation import HOME
from dispatcher.console.frame.screen import EVENTS
from dispatcher.console.frame.sentences import back, said
from dispatcher.console.frame.viewer import Viewer
from dispatcher.console.operating.overview import verdict_for
from dispatcher.errors import NotFound
from dispatcher.model.troubles import Issue

ISSUES = f"{HOME}/issues"
SHOWN = 50
MOST_ISSUES = 100_000


@dataclass(frozen=True, slots=True)
class IssueRow:
    """``asked``: the filter that finds its events."""

    issue: Issue
    asked: str
    events: str


async def show_issues(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """Issues that nobody acknowledged first, then those with most events."""
    refuse_unheeded(request, {"said": False, "first": False})
    first = integer(request.query, "first", 0, 0, MOST_ISSUES)
    said_of = await verdict_for(viewer)
    ranked = sorted(said_of.issues, key=lambda one: (one.acknowledged, -one.count, one.first_ms))
    rows = [IssueRow(one, asked := _asked(one), f"{EVENTS}?q={quote(asked)}") for one in ranked[first : first + SHOWN]]
    new = sum(one.count for one in ranked if not one.acknowledged)
    return viewer.page(
        "issues.html",
        rows=rows,
        total=sum(one.count for one in ranked),
        new=new,
        causes=len(ranked),
        further=first + SHOWN if len(ranked) > first + SHOWN else None,
        said=said(request),
    )


async def acknowledge_issue(request: web.Request, viewer: Viewer, _: dict[str, str]) -> web.StreamResponse:
    """Somebody knows of this cause: it is new no more, until an event dies of it once it was well."""
    issue_id, evaluation = request.match_info["issueId"], viewer.watch.evaluation
    known = viewer.within(await evaluation.judge(out_of_turn=True))
    issue = next((one for one in known.issues if one.id == issue_id), None)
    if issue is None:
        raise NotFound.of("not_found", "There is no such issue, or it has ended.")
    async with noted(request, "acknowledgeProblem", "issue", issue.id, after={"text": f"{issue.name}: {issue.error}"}):
        await evaluation.collector.sources.troubles.acknowledge([issue.id])
    await evaluation.judge(out_of_turn=True)
    return back(ISSUES, "acknowledged")


def _asked(issue: Issue) -> str:
    error = f" error:{issue.error_code}" if issue.error_code else ""
    return f"status:dead,expired integration:{issue.integration_id}{error}"
