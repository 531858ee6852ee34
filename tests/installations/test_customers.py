"""Customers on pages: one app of a product in an account, settings, opening, leaving, ordering again."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from dispatcher.errors import NotFound, Unprocessable
from dispatcher.flow.installations.customers import Customer
from dispatcher.model.account import Account, User
from dispatcher.model.installation import Installation, Mode, Purchase, Standing
from dispatcher.model.integration import Bookmark, Integration, OpenIdConnect
from dispatcher.model.marketplace import Marketplace
from dispatcher.policy.answers.steps import Answered
from tests.hosts import Reply
from tests.installations.conftest import STEPS, Scene
from tests.waiting import until

WHO = Customer(
    Account("A-1", "Customer X", 1, 27),
    User("u-1", "sam@customer.example", "A-1", 1, 27, "hash"),
    Marketplace(27, "M", 1, 1, product_ids=("P-1",)),
)


async def install(scene: Scene, once: str = "once", **fields: Any) -> Installation:
    return await scene.services.customers.install(WHO, "P-1", Purchase(**fields), once)


async def standing(scene: Scene, one: Installation, wanted: Standing) -> Installation:
    async def found() -> Installation | None:
        now = await scene.services.customers.get("A-1", one.id)
        return now if now.standing is wanted else None

    return await until(found)


async def test_two_finishes_at_once_are_one_installation(scene: Scene) -> None:
    await scene.integration()
    made = await asyncio.gather(*(install(scene, f"click {n % 2}") for n in range(6)))
    assert len({one.id for one in made}) == 1
    await standing(scene, made[0], Standing.INSTALLED)
    assert await scene.types() == ["SUBSCRIPTION_ORDER"]
    [order] = scene.received("createUrl")
    assert order.json["creator"]["email"] == "sam@customer.example"
    assert await scene.services.customers.uninstall(made[0], WHO) is None
    again = await install(scene, "another click")
    assert again.id != made[0].id
    listed, after = await scene.services.customers.list("A-1")
    assert ([one.id for one in listed], after) == ([again.id], None)
    await scene.assert_well()


async def test_only_what_the_marketplace_sells_is_installed(scene: Scene) -> None:
    await scene.integration(products=("P-1", "P-2"))
    with pytest.raises(NotFound):
        await scene.services.customers.install(WHO, "P-2", Purchase(), "once")
    elsewhere = replace(WHO, account=Account("A-2", "Y", 1, 27))
    made = await install(scene)
    with pytest.raises(NotFound):
        await scene.services.customers.get(elsewhere.account.id, made.id)


async def test_steps_are_checked_and_the_page_hears_of_it(scene: Scene) -> None:
    await scene.integration(*STEPS)
    made, heard = await install(scene), asyncio.Event()

    async def listen() -> None:
        async for _ in scene.services.customers.changes(made.id):
            heard.set()

    listening = asyncio.create_task(listen())
    await asyncio.sleep(0)
    result = await scene.services.customers.check_step(made, "verifyConnection", WHO)
    assert result.answer.answered is Answered.DONE
    assert result.installation.next_step is not None
    await asyncio.wait_for(heard.wait(), 30)
    listening.cancel()


async def test_saved_settings_are_told_and_equal_ones_are_not(scene: Scene) -> None:
    await scene.integration()
    made = await standing(scene, await install(scene), Standing.INSTALLED)
    saved = await scene.services.customers.save_settings(made, {"colour": "red"}, WHO)
    same = await scene.services.customers.save_settings(saved, {"colour": "red"}, WHO)
    assert same == saved
    assert await scene.types() == ["SUBSCRIPTION_ORDER", "SUBSCRIPTION_CHANGE"]


async def test_a_refused_order_is_sent_again_under_its_id(scene: Scene) -> None:
    await scene.integration()
    refusal = Reply(body=b'{"success":false,"message":"no seats left"}')
    scene.host.replies.append(refusal)
    made = await standing(scene, await install(scene), Standing.REFUSED)
    assert made.standing_text == "no seats left"
    await asyncio.gather(*(scene.services.customers.retry_order(made, WHO) for _ in range(3)), return_exceptions=True)
    await standing(scene, made, Standing.INSTALLED)
    first, second = scene.received("createUrl")
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert await scene.types() == ["SUBSCRIPTION_ORDER"]


async def test_an_order_that_an_operator_sends_again_is_noticed(scene: Scene) -> None:
    await scene.integration()
    scene.host.replies.append(Reply(body=b'{"success":false}'))
    made = await standing(scene, await install(scene), Standing.REFUSED)
    await scene.json("POST", f"/v1/events/{made.order_event_id}/redeliver", 202)
    await standing(scene, made, Standing.INSTALLED)


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ({"bookmark": Bookmark("https://app.example/start")}, "https://app.example/start"),
        (
            {"open_id_connect": OpenIdConnect(initiate_login_url="https://app.example/login")},
            "https://app.example/login",
        ),
    ],
)
async def test_open_leads_to_the_installed_revision(scene: Scene, fields: dict[str, Any], where: str) -> None:
    integration = await scene.integration(**fields)
    made = await install(scene)
    await republished(scene, integration, bookmark=Bookmark("https://elsewhere.example"), open_id_connect=None)
    assert await scene.services.customers.where_to_open(made) == where


async def test_what_has_no_sign_on_cannot_be_opened(scene: Scene) -> None:
    await scene.integration()
    with pytest.raises(NotFound) as raised:
        await scene.services.customers.where_to_open(await install(scene))
    assert raised.value.problems[0].code == "not_configured"


async def test_leaving_undoes_the_steps(scene: Scene) -> None:
    await scene.integration(*STEPS)
    made = await install(scene)
    for function in ("verifyConnection", "verifyBundle"):
        await scene.services.customers.check_step(made, function, WHO)
    left = await scene.services.customers.uninstall(await standing(scene, made, Standing.INSTALLED), WHO)
    assert left is not None
    assert left.mode is Mode.UNINSTALL
    await scene.gone({"_id": made.id})
    await scene.ended(6)


async def republished(scene: Scene, integration: Integration, **changes: Any) -> Integration:
    definitions = scene.services.definitions
    changed = await definitions.edit(integration.id, lambda one: replace(one, working=replace(one.working, **changes)))
    number = (changed.published_revision or 0) + 1
    return await definitions.publish(changed, changed.modified_ms, replace(changed.working, number=number))


async def test_settings_are_locked_while_an_update_is_going_on(scene: Scene) -> None:
    integration = await scene.integration()
    made = await standing(scene, await install(scene), Standing.INSTALLED)
    path = f"/v1/connectors/{integration.connector_id}/update"
    await scene.json("PUT", path, 200, json={"_integrationIds": [made.id]})
    with pytest.raises(Unprocessable) as raised:
        await scene.services.customers.save_settings(made, {"colour": "red"}, WHO)
    assert raised.value.problems[0].code == "update_in_progress"
