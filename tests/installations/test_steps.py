"""Installer calls: signed, once, in their turn, answered with the host's own words."""

from __future__ import annotations

import asyncio
import json

import pytest

from dispatcher.policy.notification.signing import parse_secret
from dispatcher.policy.notification.verification import verify
from tests.hosts import Reply
from tests.installations.conftest import ALL, SECRET, STEPS, Scene, completes, step_reply
from tests.waiting import until


async def test_the_host_is_asked_about_each_step_in_turn_and_then_it_is_ordered_once(scene: Scene) -> None:
    integration, headers = await scene.integration(*STEPS), await scene.account()
    one = await scene.install(integration, headers)
    first = await scene.call(one, "verifyConnection", headers)
    assert [step["completed"] for step in first["install"]] == [True, False]
    assert first["nextStep"]["installerFunction"] == "verifyBundle"
    last = await scene.call(one, "verifyBundle", headers)
    assert (last["mode"], last["nextStep"]) == ("settings", None)
    again = await scene.call(one, "verifyBundle", headers)
    assert again["mode"] == "settings"
    found = await scene.installed(one)
    assert found["accountIdentifier"] == f"host-{one['_id']}"
    assert await scene.types() == ["INSTALL_STEP", "INSTALL_STEP", "SUBSCRIPTION_ORDER"]
    await scene.assert_well()


async def test_a_call_is_signed_and_names_function_and_connection(scene: Scene) -> None:
    integration, headers = await scene.integration(STEPS[0]), await scene.account()
    one = await scene.install(integration, headers)
    await scene.call(one, "verifyConnection", headers)
    [called, *_] = scene.received("createUrl")
    event_id, at, signature = (called.headers[f"webhook-{name}"] for name in ("id", "timestamp", "signature"))
    assert verify([parse_secret(SECRET)], event_id, at, signature, called.body, now_s=float(at)).genuine
    body = called.json
    assert (body["type"], body["subscriptionId"], body["accountId"]) == ("INSTALL_STEP", one["_id"], "A-1")
    payload = body["payload"]
    assert payload.keys() == {"function", "_integrationId", "_connectionId", "step", "bearerToken"}
    assert (payload["function"], payload["_integrationId"]) == ("verifyConnection", one["_id"])
    assert payload["step"]["name"] == "Connection"


async def test_a_step_out_of_turn_is_refused_and_nobody_is_asked(scene: Scene) -> None:
    integration, headers = await scene.integration(*STEPS), await scene.account()
    one = await scene.install(integration, headers)
    refused = await scene.call(one, "verifyBundle", headers, 422)
    assert (refused["errors"][0]["code"], refused["errors"][0]["field"]) == ("out_of_order", "function")
    unknown = await scene.call(one, "verifyNothing", headers, 404)
    assert unknown["errors"][0]["code"] == "not_found"
    assert scene.host.requests == []


async def test_without_a_known_connector_there_is_nobody_to_ask(scene: Scene) -> None:
    body = {"name": "x", "_connectorId": "nobody's", "install": [{"name": "s", "installerFunction": "f"}]}
    one = await scene.json("POST", ALL, 201, json=body)
    refused = await scene.call(one, "f", {}, 422)
    assert (refused["errors"][0]["code"], refused["errors"][0]["field"]) == ("invalid_reference", "_connectorId")


@pytest.mark.parametrize(
    ("reply", "code", "message"),
    [
        (Reply.of(200, {"success": False, "message": "no such store"}), "step_refused", "no such store"),
        (Reply.of(200, {"success": False, "errorCode": "FORBIDDEN", "message": "not yours"}), "FORBIDDEN", "not yours"),
        (
            Reply.of(422, {"errors": [{"code": "bad_store", "message": "wrong store", "field": "store"}]}),
            "bad_store",
            "wrong store",
        ),
        (Reply.of(404), "step_refused", "HTTP 404"),
    ],
)
async def test_the_hosts_refusal_is_passed_on_and_the_step_stays_open(
    scene: Scene, reply: Reply, code: str, message: str
) -> None:
    integration, headers = await scene.integration(*STEPS), await scene.account()
    one = await scene.install(integration, headers)
    scene.host.default = step_reply(lambda _: reply)
    refused = await scene.call(one, "verifyConnection", headers, 422)
    assert (refused["errors"][0]["code"], refused["errors"][0]["message"]) == (code, message)
    found = await scene.get(one)
    assert [step["completed"] for step in found["install"]] == [False, False]
    assert (found["mode"], found["standingText"]) == ("install", message)
    assert len(scene.host.requests) == 1
    scene.host.default = step_reply(completes)
    assert (await scene.call(one, "verifyConnection", headers))["install"][0]["completed"]
    assert await scene.redis.keys("{p*}:dead") == []


async def test_a_long_answer_in_many_lines_is_read_like_a_short_one(scene: Scene) -> None:
    integration, headers = await scene.integration(*STEPS), await scene.account()
    one = await scene.install(integration, headers)
    padding = {"description": "What a host tells of its steps, at length. " * 150}
    updates = [{"installerFunction": "verifyConnection", "completed": False, **padding}]
    answer = {"padding": padding, "success": True, "stepsToUpdate": updates}
    scene.host.default = step_reply(lambda _: Reply(200, json.dumps(answer, indent=2).encode()))
    left_open = await scene.call(one, "verifyConnection", headers)
    assert left_open["nextStep"]["installerFunction"] == "verifyConnection"
    refusal = {"success": False, "errors": [{"code": "c", "message": "Not yet.", "field": "f", **padding}]}
    scene.host.default = step_reply(lambda _: Reply(200, json.dumps(refusal, indent=2).encode()))
    refused = await scene.call(one, "verifyConnection", headers, 422)
    assert refused["errors"] == [{"code": "c", "message": "Not yet.", "field": "f"}]


async def test_a_host_that_fails_is_away_and_is_not_asked_by_itself_again(scene: Scene) -> None:
    integration, headers = await scene.integration(*STEPS), await scene.account()
    one = await scene.install(integration, headers)
    scene.host.default = step_reply(lambda _: Reply.of(500))
    away = await scene.call(one, "verifyConnection", headers, 504)
    assert away["errors"][0]["code"] == "host_away"
    assert not (await scene.get(one))["install"][0]["completed"]
    [event] = await scene.events()
    assert event["status"] == "FAILED"
    redelivered = await scene.ask("POST", f"/v1/events/{event['id']}/redeliver")
    assert redelivered.status == 409
    assert len(scene.host.requests) == 1


async def test_a_call_that_nobody_makes_in_time_is_withdrawn(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    integration, headers = await scene.integration(*STEPS), await scene.account()
    one = await scene.install(integration, headers)
    await scene.stop_work()
    monkeypatch.setattr("dispatcher.flow.installations.states.steps.STEP_WAIT_MS", 100)
    await scene.call(one, "verifyConnection", headers, 504)
    [event] = await scene.events()
    assert event["status"] == "RESOLVED"
    monkeypatch.undo()
    await scene.work()
    assert (await scene.call(one, "verifyConnection", headers))["install"][0]["completed"]
    assert len(scene.host.requests) == 1
    await scene.assert_well()


async def test_a_host_may_answer_later(scene: Scene) -> None:
    integration, headers = await scene.integration(*STEPS), await scene.account()
    one = await scene.install(integration, headers)
    scene.host.default = step_reply(lambda _: Reply.of(202))
    await scene.call(one, "verifyConnection", headers, 202)
    [event] = await scene.events()
    assert event["status"] == "AWAITING_RESULT"
    await scene.services.queue.result(event["id"], success=True)

    async def completed() -> bool:
        return bool((await scene.get(one))["install"][0]["completed"])

    await until(completed)


async def test_calls_in_parallel_ask_the_host_once(scene: Scene) -> None:
    integration, headers = await scene.integration(STEPS[0]), await scene.account()
    one = await scene.install(integration, headers)
    scene.host.default = step_reply(
        lambda payload: Reply(completes(payload).status, completes(payload).body, completes(payload).headers, 0.2)
    )
    answers = await asyncio.gather(*(scene.call(one, "verifyConnection", headers) for _ in range(5)))
    assert {answer["mode"] for answer in answers} == {"settings"}
    await scene.installed(one)
    assert await scene.types() == ["INSTALL_STEP", "SUBSCRIPTION_ORDER"]


async def test_a_step_never_waits_behind_an_event_of_the_account(scene: Scene) -> None:
    integration, headers = await scene.integration(*STEPS), await scene.account()
    one = await scene.install(integration, headers)
    body = {"type": "upgrade", "productId": "P-1", "accountId": "A-1"}
    scene.host.by_path["/upgradeUrl"] = Reply(delay_s=5)
    await scene.json("POST", "/v1/events", 202, json=body)
    await scene.host.wait_for(1)
    async with asyncio.timeout(30):
        assert (await scene.call(one, "verifyConnection", headers))["install"][0]["completed"]


async def test_while_a_step_awaits_its_result_no_other_is_answered_in_its_place(scene: Scene) -> None:
    integration, headers = await scene.integration(*STEPS), await scene.account()
    one = await scene.install(integration, headers)
    scene.host.default = step_reply(lambda _: Reply.of(202))
    await scene.call(one, "verifyConnection", headers, 202)
    refused = await scene.call(one, "verifyBundle", headers, 422)
    assert "Connection" in refused["errors"][0]["message"]
    found = await scene.get(one)
    by_hand = [found["install"][0] | {"completed": True}, found["install"][1]]
    await scene.json("PUT", f"{ALL}/{one['_id']}", 200, json=found | {"install": by_hand})
    refused = await scene.call(one, "verifyBundle", headers, 422)
    assert (refused["errors"][0]["code"], refused["errors"][0]["field"]) == ("out_of_order", "function")
    assert "verifyConnection" in refused["errors"][0]["message"]
    assert len(scene.received("createUrl")) == 1


async def test_a_call_to_a_suspended_url_says_so_at_once_and_leaves_nothing_to_send(scene: Scene) -> None:
    integration, headers = await scene.integration(*STEPS), await scene.account()
    one = await scene.install(integration, headers)
    scene.host.default = step_reply(lambda _: Reply(410, b""))
    for _ in range(2):
        held = await scene.call(one, "verifyConnection", headers, 409)
        assert held["errors"][0]["code"] == "url_suspended"
        assert "enables that URL or publishes another" in held["errors"][0]["message"]
    assert len(scene.host.requests) == 1
    scene.host.default = step_reply(completes)
    path = f"/v1/definitions/{integration.id}/suspended-urls/SUBSCRIPTION_ORDER/enable"
    await scene.json("POST", path, 200)
    await scene.json("POST", f"/v1/lanes/{integration.id}/pause", 200, json={"reason": "repairs"})
    assert (await scene.call(one, "verifyConnection", headers, 409))["errors"][0]["code"] == "paused"
    await scene.json("POST", f"/v1/lanes/{integration.id}/resume", 200)
    assert (await scene.call(one, "verifyConnection", headers))["install"][0]["completed"]
    assert len(scene.host.requests) == 2
    await scene.assert_well()
