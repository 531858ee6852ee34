"""Installer and uninstaller calls: signed, once, with a bearer for one request, answered with the host's own words."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import Counter
from typing import Any

import pytest

from dispatcher.policy.notification.signing import parse_secret
from dispatcher.policy.notification.verification import verify
from dispatcher.store.installations.installed.bearers import Bearers, Taking
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


async def token_of(scene: Scene, headers: dict[str, str]) -> tuple[Any, str]:
    """An installation in the middle of its steps, and the bearer that the host got with the first of them."""
    one = await scene.install(await scene.integration(*STEPS, products=()), headers)
    await scene.call(one, "verifyConnection", headers)
    return one, scene.received("createUrl")[-1].json["payload"]["bearerToken"]


async def test_the_bearer_lets_the_host_act_once_as_the_owner_of_that_installation(scene: Scene) -> None:
    headers = await scene.account()
    one, token = await token_of(scene, headers)
    other, _ = await token_of(scene, headers)
    shown = {"Authorization": f"Bearer {token}"}
    await scene.json("GET", f"{ALL}/{other['_id']}", 401, headers=shown)
    await scene.json("GET", ALL, 401, headers=shown)
    await scene.json("POST", f"{ALL}/{one['_id']}/clone", 401, headers=shown)
    for _ in range(2):
        found = await scene.json("GET", f"{ALL}/{one['_id']}", 200, headers=shown)
    done = found | {"install": [step | {"completed": True} for step in found["install"]], "version": "2.0"}
    after = await scene.json("PUT", f"{ALL}/{one['_id']}", 200, json=done, headers=shown)
    assert (after["mode"], after["version"]) == ("settings", "2.0")
    await scene.json("GET", f"{ALL}/{one['_id']}", 401, headers=shown)


async def test_a_call_that_is_refused_leaves_the_bearer_as_it_was(scene: Scene) -> None:
    headers = await scene.account()
    one, token = await token_of(scene, headers)
    shown, path = {"Authorization": f"Bearer {token}"}, f"{ALL}/{one['_id']}"
    found = await scene.get(one)
    await scene.json("PUT", path, 422, json=found | {"name": 5}, headers=shown)
    await scene.json("PUT", path, 422, json=found | {"mode": "settings"}, headers=shown)
    await scene.json("PUT", path, 412, json=found, headers=shown | {"If-Match": '"1"'})
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    await scene.json("PUT", path, 415, data="name=x", headers=shown | form)
    await scene.json("PUT", path, 400, data="{", headers=shown | {"Content-Type": "application/json"})
    answers = await asyncio.gather(
        *(scene.ask("PUT", path, json=found | {"name": 5}, headers=shown) for _ in range(10)),
        *(scene.ask("GET", path, headers=shown) for _ in range(5)),
    )
    assert [answer.status for answer in answers] == [422] * 10 + [200] * 5
    await scene.json("PUT", path, 200, json=found | {"name": "Renamed"}, headers=shown)
    await scene.json("PUT", path, 401, json=found, headers=shown)


async def test_of_twenty_that_show_a_bearer_at_once_one_gets_in(scene: Scene) -> None:
    one, token = await token_of(scene, await scene.account())
    shown = {"Authorization": f"Bearer {token}"}
    body = await scene.get(one)
    answers = await asyncio.gather(
        *(scene.ask("PUT", f"{ALL}/{one['_id']}", json=body, headers=shown) for _ in range(20))
    )
    assert sorted(answer.status for answer in answers) == [200] + [401] * 19


async def test_a_bearer_that_is_not_used_up_is_turned_away_by_none_that_is_refused(scene: Scene) -> None:
    """Refused calls and good ones at once, in any order: one good one gets in, and every refused one hears why."""
    one, token = await token_of(scene, await scene.account())
    shown, body = {"Authorization": f"Bearer {token}"}, await scene.get(one)
    bodies = [body | {"name": 5} if n % 4 else body for n in range(20)]
    answers = await asyncio.gather(
        *(scene.ask("PUT", f"{ALL}/{one['_id']}", json=sent, headers=shown) for sent in bodies)
    )
    counted = Counter(answer.status for answer in answers)
    assert counted[200] == 1
    assert counted.keys() <= {200, 401, 422}
    good = [answer.status for answer, sent in zip(answers, bodies, strict=True) if sent is body]
    assert Counter(good) == {200: 1, 401: 4}


async def test_a_bearer_whose_call_never_ended_lets_nobody_in(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    one, token = await token_of(scene, await scene.account())
    monkeypatch.setattr("dispatcher.api.oauth.gate.JUDGED_WITHIN_S", 0.1)
    assert await Bearers(scene.redis).take(token, one["_id"]) is Taking.HELD
    shown = {"Authorization": f"Bearer {token}"}
    held = await scene.json("PUT", f"{ALL}/{one['_id']}", 409, json=await scene.get(one), headers=shown)
    assert held["errors"][0]["code"] == "bearer_in_use"


async def test_a_bearer_is_kept_as_a_digest_only_and_ends_with_its_installation(scene: Scene) -> None:
    one, token = await token_of(scene, await scene.account())
    key = f"{{def}}:bearer:{hashlib.sha256(token.encode()).hexdigest()}"
    assert 890 <= await scene.redis.ttl(key) <= 900
    for name in await scene.redis.keys("*"):
        assert token.encode() not in (await scene.redis.dump(name) or b"")
    [event] = [one for one in await scene.events() if one["type"] == "INSTALL_STEP"]
    assert "bearerToken" not in event["payload"]
    await scene.json("DELETE", f"{ALL}/{one['_id']}", 204)
    shown = {"Authorization": f"Bearer {token}"}
    assert (await scene.ask("GET", f"{ALL}/{one['_id']}", headers=shown)).status in (401, 404)


async def test_with_nothing_to_undo_uninstalling_answers_with_what_it_was_last(scene: Scene) -> None:
    integration, headers = await scene.integration(), await scene.account()
    one = await scene.installed(await scene.install(integration, headers))
    path = f"{ALL}/{one['_id']}"
    last = await scene.json("PUT", path, 200, json=one | {"mode": "uninstall"}, headers=headers)
    assert (last["mode"], last["standing"]) == ("uninstall", "UNINSTALLING")
    await scene.gone(one)


async def test_uninstalling_undoes_the_steps_backwards_and_cancels_once(scene: Scene) -> None:
    integration, headers = await scene.integration(*STEPS), await scene.account()
    one = await scene.install(integration, headers)
    for function in ("verifyConnection", "verifyBundle"):
        await scene.call(one, function, headers)
    await scene.installed(one)
    after = await scene.json(
        "PUT", f"{ALL}/{one['_id']}", 200, json={"name": "x", "mode": "uninstall"}, headers=headers
    )
    assert after["mode"] == "uninstall"
    await scene.gone(one)
    events = await scene.ended(6)
    assert [event["type"] for event in events[3:]] == ["UNINSTALL_STEP", "UNINSTALL_STEP", "SUBSCRIPTION_CANCEL"]
    undone = [called.json["payload"].get("function") for called in scene.received("cancelUrl")]
    assert undone == ["deleteBundle", "deleteConnection", None]
    cancel = scene.received("cancelUrl")[-1].json
    assert cancel["payload"]["account"]["accountIdentifier"] == f"host-{one['_id']}"
    await scene.assert_well()


async def test_an_uninstaller_that_is_refused_stays_until_it_is_asked_again_or_removed_anyway(scene: Scene) -> None:
    integration, headers = await scene.integration(*STEPS), await scene.account()
    one = await scene.install(integration, headers)
    for function in ("verifyConnection", "verifyBundle"):
        await scene.call(one, function, headers)
    await scene.installed(one)
    scene.host.default = step_reply(lambda _: Reply.of(200, {"success": False, "message": "still used"}))
    path, body = f"{ALL}/{one['_id']}", {"name": "x", "mode": "uninstall"}
    await scene.json("PUT", path, 200, json=body, headers=headers)

    async def refused() -> bool:
        return bool((await scene.get(one)).get("standingText") == "still used")

    await until(refused)
    await scene.json("PUT", path, 200, json=body, headers=headers)
    await until(lambda: _counted(scene, 2))
    await until(refused)
    await scene.json("DELETE", path, 204, headers=headers)
    await scene.gone(one)
    assert (await scene.types()).count("SUBSCRIPTION_CANCEL") == 1


async def _counted(scene: Scene, count: int) -> bool:
    return len([called for called in scene.received("cancelUrl") if called.json["type"] == "UNINSTALL_STEP"]) == count


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
