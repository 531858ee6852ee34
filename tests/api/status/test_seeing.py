"""The verdict over HTTP: who sees it, who acknowledges what, what it says while the store is away."""

from __future__ import annotations

import asyncio
import shlex

import pytest

from dispatcher.errors import StoreUnavailable
from dispatcher.model.attempt import Outcome
from dispatcher.model.status import Status
from tests.api.conftest import ADMIN_ID, ADMIN_SECRET, Start
from tests.api.status.ward import Ward
from tests.cli.in_process import dispatcher


async def test_a_deployment_that_is_well_says_so_in_figures(ward: Ward) -> None:
    said = await ward.judged()
    assert said["ok"] is True
    assert said["problems"] == []
    assert said["text"].startswith("All is well: 0.0/s, oldest due 0.0 s")


async def test_actions_are_lines_and_requests_that_run_as_they_are(
    ward: Ward, capsys: pytest.CaptureFixture[str]
) -> None:
    await ward.tries(Outcome.HTTP_ERROR, Status.DEAD, 2, "HTTP 503")
    redeliver, acknowledge = (await ward.named("dead_letters"))["actions"]
    where = ("--url", str(ward.api.http.make_url("")), "--client-id", ADMIN_ID, "--client-secret", ADMIN_SECRET)
    name, *line = shlex.split(acknowledge["command"])
    assert name == "dispatcher"
    capsys.readouterr()
    ended = await asyncio.to_thread(dispatcher, capsys, *line, *where)
    assert (ended.status, f"acknowledged by {ADMIN_ID} at " in ended.out) == (0, True)
    assert "dead_letters" not in await ward.kinds()
    assert (await asyncio.to_thread(dispatcher, capsys, *line, *where)).status == 1
    job = await ward.api.json(redeliver["method"], redeliver["path"], 202, json=redeliver["body"])
    assert job["matched"] == 2


async def test_an_acknowledged_problem_is_in_the_audit_log_and_needs_nobody(ward: Ward) -> None:
    await ward.tries(Outcome.HTTP_ERROR, Status.RETRYING, 10, "HTTP 500")
    problem = await ward.named("failing")
    await ward.api.json("POST", f"/v1/status/problems/{problem['id']}/acknowledge", 200)
    said = await ward.api.json("GET", "/v1/status", 200)
    assert said["ok"] is True
    assert said["problems"][0]["severity"] == "info"
    assert said["problems"][0]["acknowledged"]["by"] == "admin"
    entry = (await ward.api.json("GET", "/v1/audit?action=acknowledgeProblem", 200))["data"][0]
    assert entry["objectId"] == problem["id"]


async def test_what_is_no_problem_cannot_be_acknowledged(ward: Ward) -> None:
    await ward.api.refused("POST", "/v1/status/problems/overdue/acknowledge", 404, "not_found", "problemId")


async def test_a_single_retry_or_a_result_that_is_awaited_is_no_problem(ward: Ward) -> None:
    await ward.tries(Outcome.HTTP_ERROR, Status.RETRYING, 1, "HTTP 500")
    await ward.tries(Outcome.ACCEPTED, Status.AWAITING_RESULT, 1)
    await ward.api.emit()
    await ward.api.emit()
    assert (await ward.judged())["problems"] == []


async def test_a_client_of_one_vendor_sees_its_own_lanes_only(ward: Ward) -> None:
    await ward.tries(Outcome.HTTP_ERROR, Status.DEAD, 30, "HTTP 503")
    await ward.judged()
    client, secret = await ward.api.services.clients.create(
        frozenset({"ops:read", "ops:write"}), "other", None, 0, vendor_id="v-other"
    )
    headers = await ward.api.bearer(client.client_id, secret)
    said = await ward.api.json("GET", "/v1/status", 200, headers=headers)
    assert (said["ok"], said["problems"]) == (True, [])
    path = "/v1/status/problems/dead_letters/acknowledge"
    await ward.api.refused("POST", path, 404, "not_found", "problemId", headers=headers)


async def test_the_verdict_needs_its_scope(ward: Ward) -> None:
    headers = await ward.api.bearer_of_new("events:read")
    await ward.api.refused("GET", "/v1/status", 403, "insufficient_scope", headers=headers)


async def test_all_processes_serve_what_one_of_them_judged(ward: Ward, start: Start) -> None:
    await ward.tries(Outcome.HTTP_ERROR, Status.RETRYING, 10, "HTTP 500")
    said = await ward.judged()
    other = await start()
    assert await other.json("GET", "/v1/status", 200) == said


async def test_while_the_store_is_away_the_last_verdict_is_served_with_503(
    ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ward.tries(Outcome.HTTP_ERROR, Status.RETRYING, 10, "HTTP 500")
    await ward.judged()

    async def gone(*_: object) -> None:
        raise StoreUnavailable("away")

    monkeypatch.setattr("dispatcher.store.health.verdicts.VerdictStore.read", gone)
    said = await ward.api.json("GET", "/v1/status", 503)
    assert [one["kind"] for one in said["problems"]] == ["store_away", "failing"]
    assert said["ok"] is False


async def test_while_the_store_is_away_whoever_was_let_in_before_goes_on_seeing_the_verdict(
    ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Symptom: five seconds into an outage the verdict was a bare refusal, as tokens are looked up again."""
    await ward.judged()
    stranger = await ward.api.bearer_of_new("ops:read")

    async def gone(*_: object) -> None:
        raise StoreUnavailable("away")

    monkeypatch.setattr("dispatcher.store.health.verdicts.VerdictStore.read", gone)
    monkeypatch.setattr("dispatcher.api.oauth.directory.Directory.find", gone)
    monkeypatch.setattr("dispatcher.api.oauth.gate.RECHECK_S", -1.0)
    for _ in range(2):
        await ward.api.refused("GET", "/v1/queue", 503, "store_unavailable")
        said = await ward.api.json("GET", "/v1/status", 503)
        assert [one["kind"] for one in said["problems"]] == ["store_away"]
    await ward.api.refused("GET", "/v1/status", 503, "store_unavailable", headers=stranger)
    await ward.api.refused("GET", "/v1/status", 401, "invalid_token", headers={"Authorization": "Bearer e30.e30.e30"})
