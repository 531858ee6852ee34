"""Actions that a problem is shown with: each a line for a shell and, where there is one, the request that does it."""

from __future__ import annotations

from dispatcher.model.verdict import Action

START_WORKER = Action("Start a worker", "dispatcher worker")
DOCTOR = Action("Examine Redis", "dispatcher doctor")
AUDIT = Action("Recount", "dispatcher audit")
RUNBOOK = Action("Follow the runbook", "docs/operations.md, when something is wrong")
LOG = Action("Read the API's log", "grep '\"status\": *5' in the API's log; docs/operations.md")
WORKERS = Action("Look at the workers", "dispatcher workers")
MORE_WORKERS = Action("Add workers", "dispatcher worker --processes 2")
MEMORY = Action("Make room", "raise maxmemory, or lower DISPATCHER_RETENTION_DAYS")
RESEAL = Action("Seal with the newest key", "dispatcher secrets reseal")
SET_CLOCKS = Action("Set the clocks", "let NTP set the clocks of this machine and of Redis")


def pause(integration_id: str) -> Action:
    command = f"dispatcher pause {integration_id} --reason 'host is down' --for 2h"
    return Action("Pause", command, "POST", f"/v1/lanes/{integration_id}/pause")


def resume(integration_id: str, name: str = "Resume") -> Action:
    return Action(name, f"dispatcher resume {integration_id}", "POST", f"/v1/lanes/{integration_id}/resume")


def try_now(integration_id: str) -> Action:
    return Action("Try now", f"dispatcher ping {integration_id}")


def why(integration_id: str) -> Action:
    condition = f"integration:{integration_id} status:retrying,dead,failed since:1h"
    return Action("Why", f"dispatcher events --where '{condition}'")


def try_credentials(integration_id: str) -> Action:
    return Action("Try credentials", f"dispatcher ping {integration_id}")


def redeliver(count: int) -> Action:
    command = "dispatcher redeliver --where 'status:dead,expired'"
    return Action(f"Redeliver {count:,}", command, "POST", "/v1/redeliveries")


def acknowledge(problem_id: str) -> Action:
    path = f"/v1/status/problems/{problem_id}/acknowledge"
    return Action("Acknowledge", f"curl -X POST …{path}", "POST", path)
