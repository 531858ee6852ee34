"""Ping tests, probes and trials of credentials, as publishers ask for them and read of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dispatcher.model.event_type import EventType
from dispatcher.model.ping import (
    CheckName,
    PingStatus,
    PingStep,
    PingTest,
    SecurityCheck,
    StepName,
    concluded,
)
from dispatcher.store.keys import definitions as keys
from tests.api.graphql.conftest import Graph

TEST = """test { id version status trigger startedOn completedOn
  results { eventType url status success httpStatus errorCode message durationMs testedOn
    steps { name ok durationMs text remedy } }
  securityChecks { name eventType url status httpStatus durationMs testedOn text remedy } }"""
TRIGGER = "triggerProductIntegrationPingTest"


async def asked(graph: Graph, own_id: str, more: str = "") -> Any:
    return (await graph.change(TRIGGER, f'id: "{own_id}" {more}', TEST))["test"]


async def stored(graph: Graph, own_id: str, test_id: str) -> PingTest:
    found = await graph.api.services.definitions.pings.find(own_id, test_id)
    assert found is not None
    return found


async def test_trigger_answers_with_the_running_test(graph: Graph) -> None:
    own_id = (await graph.created())["id"]
    test = await asked(graph, own_id)
    assert (test["status"], test["trigger"], test["completedOn"], test["securityChecks"]) == (
        "RUNNING",
        "REQUEST",
        None,
        [],
    )
    assert not (await stored(graph, own_id, test["id"])).security
    checked = await asked(graph, own_id, "securityChecks: true")
    assert (await stored(graph, own_id, checked["id"])).security


async def test_outcome_is_shown_step_by_step_with_security_checks(graph: Graph) -> None:
    own_id = (await graph.created())["id"]
    running = await stored(graph, own_id, (await asked(graph, own_id))["id"])
    now_ms = running.started_ms + 1000
    result = replace(
        running.results[0],
        status=PingStatus.FAILED,
        http_status=404,
        error_code="TRANSPORT_ERROR",
        steps=(PingStep(StepName.ANSWER, False, 1.5, "HTTP 404", "Check the path."),),
    )
    check = SecurityCheck(
        CheckName.STALE_TIMESTAMP,
        EventType.SUBSCRIPTION_ORDER,
        "https://example.com/a",
        PingStatus.FAILED,
        "t",
        "r",
        200,
    )
    ended = concluded(replace(running, results=(result,), security_checks=(check,)), now_ms)
    await graph.api.services.definitions.pings.replace(own_id, ended)
    shown = await graph.shown(own_id, TEST.replace("test {", "lastTest {", 1))
    last = shown["lastTest"]
    assert (last["status"], last["completedOn"]) == ("FAILED", "2027-01-15T08:00:01.000Z")
    assert last["results"][0]["steps"] == [
        {"name": "ANSWER", "ok": False, "durationMs": 1.5, "text": "HTTP 404", "remedy": "Check the path."}
    ]
    assert last["securityChecks"] == [
        {
            "name": "STALE_TIMESTAMP",
            "eventType": "SUBSCRIPTION_ORDER",
            "url": "https://example.com/a",
            "status": "FAILED",
            "httpStatus": 200,
            "durationMs": None,
            "testedOn": None,
            "text": "t",
            "remedy": "r",
        }
    ]


async def test_ping_that_nobody_ran_is_shown_as_failed_after_its_deadline(graph: Graph) -> None:
    own_id = (await graph.created())["id"]
    test = await asked(graph, own_id)
    graph.api.clock.now_s += 100
    graph.api.headers = await graph.api.bearer()
    shown = await graph.shown(own_id, "lastTest { status completedOn results { status message } }")
    assert shown["lastTest"]["status"] == "FAILED"
    assert "worker" in shown["lastTest"]["results"][0]["message"]
    by_id = await graph.shown(own_id, f'test(id: "{test["id"]}") {{ status }}')
    assert by_id == {"test": {"status": "FAILED"}}


async def test_history_is_newest_first_and_can_be_narrowed(graph: Graph) -> None:
    own_id = (await graph.created())["id"]
    ids = [(await asked(graph, own_id))["id"] for _ in range(3)]
    assert await graph.shown(own_id, "tests(last: 2) { id }") == {"tests": [{"id": ids[2]}, {"id": ids[1]}]}
    assert await graph.shown(own_id, "tests(trigger: SCHEDULE) { id }") == {"tests": []}
    assert len((await graph.shown(own_id, "tests(trigger: REQUEST) { id }"))["tests"]) == 3
    assert await graph.shown(own_id, 'test(id: "nothing") { id }') == {"test": None}
    _, body = await graph.send(f'{{ productIntegration(id: "{own_id}") {{ tests(last: 51) {{ id }} }} }}')
    assert "between 1 and 50" in body["errors"][0]["message"]


async def test_probe_interval_is_kept_shown_and_planned(graph: Graph) -> None:
    redis = graph.api.redis
    own_id = (await graph.created('createUrl: "https://example.com/a" probeIntervalMinutes: 5'))["id"]
    assert await graph.shown(own_id, "probeIntervalMinutes") == {"probeIntervalMinutes": 5}
    assert await redis.zscore(keys.PINGS_DUE, own_id) == 0
    await graph.api.services.definitions.pings_due.put_off(own_id, 1_800_000_000_000)
    await graph.change("updateProductIntegration", f'id: "{own_id}" name: "renamed"')
    assert await graph.shown(own_id, "probeIntervalMinutes") == {"probeIntervalMinutes": 5}
    assert await redis.zscore(keys.PINGS_DUE, own_id) == 1_800_000_000_000
    await graph.change("updateProductIntegration", f'id: "{own_id}" probeIntervalMinutes: null')
    assert await graph.shown(own_id, "probeIntervalMinutes") == {"probeIntervalMinutes": None}
    assert await redis.zscore(keys.PINGS_DUE, own_id) is None


@pytest.mark.parametrize("minutes", [0, -1, 10_081])
async def test_probe_interval_out_of_range_is_a_user_error(graph: Graph, minutes: int) -> None:
    own_id = (await graph.created())["id"]
    refused = await graph.change("updateProductIntegration", f'id: "{own_id}" probeIntervalMinutes: {minutes}')
    assert [(one["code"], one["path"]) for one in refused["userErrors"]] == [
        ("out_of_range", ["input", "probeIntervalMinutes"])
    ]


async def test_credentials_that_cannot_be_saved_are_a_user_error(graph: Graph) -> None:
    refused = await graph.change(
        "testProductIntegrationCredentials",
        'outboundCredentials: { type: OAUTH2 clientId: "a" clientSecret: "b" }',
        "success message",
    )
    assert refused["success"] is None
    assert refused["userErrors"][0]["path"] == ["input", "outboundCredentials", "tokenUri"]
    told = await graph.change(
        "testProductIntegrationCredentials",
        'outboundCredentials: { type: BASIC clientId: "a" clientSecret: "b" }',
        "success message",
    )
    assert told["success"] is True


async def test_client_that_may_only_read_cannot_ping(graph: Graph) -> None:
    own_id = (await graph.created())["id"]
    headers = await graph.bearer_of_new("integrations:read")
    status, _ = await graph.send(f'mutation {{ {TRIGGER}(input: {{ id: "{own_id}" }}) {{ test {{ id }} }} }}', headers)
    assert status == 403
    assert graph.pings.asked == []
