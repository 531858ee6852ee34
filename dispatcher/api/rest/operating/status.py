"""The verdict as JSON: what needs somebody, and that somebody knows of it."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from dispatcher.api.auditing import noted
from dispatcher.api.http.response.respond import json_response
from dispatcher.api.http.route import CALLER, Route
from dispatcher.api.rest.operating.status_models import AcknowledgedOut, StatusOut
from dispatcher.api.services import SERVICES
from dispatcher.api.watch.verdict import VERDICT, VerdictWatch
from dispatcher.clock import iso_ms
from dispatcher.errors import NotFound
from dispatcher.model.access import Caller, Scope
from dispatcher.model.verdict import Acknowledgement, Action, Problem, ProblemKind, Verdict
from dispatcher.policy.verdict import narrowed


async def get_status(request: web.Request) -> web.StreamResponse:
    """503 with the last one known while Redis is away."""
    watch, caller = request.app[VERDICT], request[CALLER]
    said, there = await watch.current()
    if said is None:
        said = await watch.evaluation.judge(out_of_turn=True)
    said = _within(said, caller)
    if there:
        return json_response(verdict_json(said))
    return json_response(verdict_json(said), 503, {"Retry-After": "5"})


async def acknowledge(request: web.Request) -> web.StreamResponse:
    """Somebody knows of a problem: it wakes nobody until it has ended."""
    problem_id = request.match_info["problemId"]
    by = await acknowledge_problem(request, problem_id)
    return json_response({"id": problem_id, "by": by.by, "at": iso_ms(by.at_ms)})


async def acknowledge_problem(request: web.Request, problem_id: str) -> Acknowledgement:
    """Note in the audit log and in the verdict who knows of it. Raises ``NotFound``."""
    watch, caller = request.app[VERDICT], request[CALLER]
    said = await watch.evaluation.judge(out_of_turn=True)
    mine = _within(said, caller)
    problem = next((one for one in mine.problems if one.id == problem_id), None)
    if problem is None:
        raise NotFound.of("not_found", "There is no such problem, or it has ended.", "problemId")
    by = Acknowledgement(caller.client_id, request.app[SERVICES].now_ms())
    after = {"text": problem.finding.text}
    async with noted(request, "acknowledgeProblem", "problem", problem_id, after=after):
        await _acknowledge(watch, mine, problem, by)
    await watch.evaluation.judge(out_of_turn=True)
    return by


async def _acknowledge(watch: VerdictWatch, mine: Verdict, problem: Problem, by: Acknowledgement) -> None:
    """Dead letters are acknowledged cause by cause, so that another cause is told."""
    if problem.finding.kind is ProblemKind.DEAD_LETTERS and not problem.finding.topic:
        await watch.evaluation.collector.sources.troubles.acknowledge([issue.id for issue in mine.issues])
    else:
        await watch.evaluation.verdicts.acknowledge(problem.id, by)


def _within(said: Verdict, caller: Caller) -> Verdict:
    return narrowed(said, caller.vendor_id) if caller.vendor_id is not None else said


def verdict_json(said: Verdict) -> dict[str, Any]:
    return {
        "ok": said.ok,
        "text": said.text,
        "at": iso_ms(said.at_ms),
        "problems": [_problem_json(problem) for problem in said.problems],
        "more": said.uncounted,
    }


def _problem_json(problem: Problem) -> dict[str, Any]:
    finding, known = problem.finding, problem.acknowledged
    body: dict[str, Any] = {
        "id": problem.id,
        "kind": finding.kind.value,
        "severity": problem.severity.value,
        "text": finding.text,
        "since": iso_ms(finding.since_ms),
        "actions": [_action_json(action) for action in finding.actions],
    }
    if finding.integration_id is not None:
        body["integrationId"] = finding.integration_id
    if finding.waiting is not None:
        body["waiting"] = finding.waiting
    if known is not None:
        body["acknowledged"] = {"by": known.by, "at": iso_ms(known.at_ms)}
    return body


def _action_json(action: Action) -> dict[str, Any]:
    said = {"name": action.name, "advice" if action.is_advice else "command": action.command}
    request = {"method": action.method, "path": action.path, "body": action.body}
    return said | {name: value for name, value in request.items() if value is not None}


_TAG = "operations"

ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/v1/status",
        get_status,
        (Scope.OPS_READ,),
        "The verdict: what needs somebody, since when, and what mends it",
        answers={200: StatusOut, 503: StatusOut},
        tag=_TAG,
        vendors=True,
        outlives_store=True,
    ),
    Route(
        "POST",
        "/v1/status/problems/{problemId}/acknowledge",
        acknowledge,
        (Scope.OPS_WRITE,),
        "Say that somebody knows of a problem",
        answers={200: AcknowledgedOut},
        tag=_TAG,
        vendors=True,
    ),
)
