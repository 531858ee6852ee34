"""Actions that a problem is shown with: each a line for a shell and, where there is one, the request that does it."""

from __future__ import annotations

import shlex
from urllib.parse import quote

from dispatcher.model.verdict import Action

START_WORKER = Action("Start a worker", "dispatcher worker")
DOCTOR = Action("Examine Redis", "dispatcher doctor")
AUDIT = Action("Recount", "dispatcher audit")
RUNBOOK = Action("Follow the runbook", "docs/operations.md, when something is wrong", is_advice=True)
LOG = Action("Read the API's log", "its answers with a status of 5xx; docs/operations.md", is_advice=True)
WORKERS = Action("Look at the workers", "dispatcher workers")
MORE_WORKERS = Action("Add workers", "dispatcher worker --processes 2")
MEMORY = Action("Make room", "raise maxmemory, or lower DISPATCHER_RETENTION_DAYS", is_advice=True)
RESEAL = Action("Seal with the newest key", "dispatcher secrets reseal")
SET_CLOCKS = Action("Set the clocks", "let NTP set the clocks of this machine and of Redis", is_advice=True)


def pause(integration_id: str) -> Action:
    command = f"dispatcher pause {integration_id} --reason 'host is down' --for 2h"
    body = {"reason": "host is down", "for": "2h"}
    return Action("Pause", command, "POST", f"/v1/lanes/{integration_id}/pause", body)


def resume(integration_id: str, name: str = "Resume") -> Action:
    return Action(name, f"dispatcher resume {integration_id}", "POST", f"/v1/lanes/{integration_id}/resume")


def resume_type(kind: str) -> Action:
    return Action("Resume", f"dispatcher resume --type {kind}", "POST", f"/v1/event-types/{kind}/resume")


def try_now(integration_id: str) -> Action:
    return Action("Try now", f"dispatcher ping {integration_id}")


def why(integration_id: str) -> Action:
    condition = f"integration:{integration_id} status:retrying,dead,failed since:1h"
    return Action("Why", f"dispatcher events --where '{condition}'")


def try_credentials(integration_id: str) -> Action:
    return Action("Try credentials", f"dispatcher ping {integration_id}")


def redeliver(count: int) -> Action:
    condition = "status:dead,expired"
    command = f"dispatcher redeliver --where '{condition}'"
    return Action(f"Redeliver {count:,}", command, "POST", "/v1/redeliveries", {"filter": condition})


def look_at_poison(source: str) -> Action:
    return Action("Look at them", f"{_intake(source)} --poison")


def put_back(source: str) -> Action:
    return Action("Hand them out again", f"{_intake(source)} --put-back")


def _intake(source: str) -> str:
    """``source``: ``stream`` or ``queue``, and its name."""
    kind, _, name = source.partition(" ")
    return f"dispatcher intake --{kind} {shlex.quote(name)}"


def acknowledge(problem_id: str) -> Action:
    path = f"/v1/status/problems/{quote(problem_id, safe='')}/acknowledge"
    return Action("Acknowledge", f"dispatcher status --acknowledge {shlex.quote(problem_id)}", "POST", path)
