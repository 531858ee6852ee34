"""Uninstaller calls: backwards, until nothing is left to undo."""

from __future__ import annotations

from tests.hosts import Reply
from tests.installations.conftest import ALL, STEPS, Scene, step_reply
from tests.waiting import until


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
