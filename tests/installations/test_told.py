"""Notices and whom they go to: the host about changes, with secrets in full; the host application by callbacks."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from dispatcher.flow.installations.making.creation import Asked
from dispatcher.flow.installations.states.effects import Effects
from dispatcher.flow.installations.states.following import Follower
from dispatcher.flow.installations.states.transitions import Cause
from dispatcher.ids import new_installation_id
from dispatcher.model.access import Caller
from dispatcher.model.account import Account
from dispatcher.model.integration import SigningSecret
from dispatcher.model.marketplace import Marketplace
from dispatcher.policy.notification.signing import generate_secret, parse_secret
from dispatcher.policy.notification.verification import verify
from dispatcher.store.installations.parties.accounts import AccountStore, put_account
from dispatcher.store.installations.parties.marketplaces import MarketplaceStore
from dispatcher.store.installations.writing.editing import Transaction, transacted
from dispatcher.store.secrets.fields import marketplace_signing_secret
from tests.hosts import Received, Reply
from tests.installations.conftest import ALL, STEPS, Scene
from tests.waiting import until

MARKETPLACE = 27


async def settle_in(scene: Scene, account_id: str = "A-1", notification_url: str | None = None) -> str:
    """A marketplace and an account in it; returns the key that signs its callbacks."""
    secret = generate_secret()
    sealed = scene.services.sealer.seal(secret, marketplace_signing_secret(MARKETPLACE))
    marketplace = Marketplace(
        MARKETPLACE, "M", 1, 1, notification_url=notification_url, signing_secrets=(SigningSecret(sealed, 1),)
    )
    await MarketplaceStore(scene.redis).create(marketplace)

    async def work(transaction: Transaction) -> None:
        put_account(transaction, Account(account_id, "Customer X", 1, MARKETPLACE))

    await transacted(scene.redis, work, "account", None)
    assert await AccountStore(scene.redis).find(account_id)
    return secret


async def emitted(scene: Scene, kind: str = "create", key: str | None = None, **fields: Any) -> Any:
    body = {"type": kind, "productId": "P-1", "accountId": "A-1"} | fields
    headers = {"Idempotency-Key": key} if key else {}
    return await scene.json("POST", "/v1/events", 202, json=body, headers=headers)


async def test_settings_reach_the_host_with_their_secrets_and_nothing_else_holds_those(scene: Scene) -> None:
    integration, headers = await scene.integration(), await scene.account()
    field = {"name": "apiKey", "type": "password", "value": "hunter2-hunter2"}
    settings = {"sections": [{"fields": [field]}]}
    one = await scene.install(integration, headers, settings=settings)
    await scene.installed(one)
    scene.host.default = lambda request: Reply(body=b'{"success":true,"message":"got hunter2-hunter2"}')
    change = one | {"settings": {"sections": [{"fields": [field | {"value": "******"}]}], "more": 1}}
    await scene.json("PUT", f"{ALL}/{one['_id']}", 200, json=change, headers=headers)
    await scene.ended(2)
    [sent] = scene.received("upgradeUrl")
    configuration = sent.json["payload"]["configuration"]
    assert configuration["sections"][0]["fields"][0]["value"] == "hunter2-hunter2"
    assert sent.json["payload"]["account"]["accountIdentifier"] == f"host-{one['_id']}"
    for name in await scene.redis.keys("*"):
        assert b"hunter2-hunter2" not in (await scene.redis.dump(name) or b""), name


async def test_two_installations_of_one_account_keep_their_identifiers_apart(scene: Scene) -> None:
    integration, headers = await scene.integration(), await scene.account()
    one = await scene.install(integration, headers)
    other = await scene.json("POST", f"{ALL}/{one['_id']}/clone", 201, json={}, headers=headers)
    for each in (one, other):
        found = await scene.installed(each)
        assert found["accountIdentifier"] == f"host-{each['_id']}"
        await scene.json("PUT", f"{ALL}/{each['_id']}", 200, json=found | {"settings": {"n": 1}}, headers=headers)
        await scene.json("DELETE", f"{ALL}/{each['_id']}", 204, headers=headers)
    await scene.ended(6)
    for sent in (*scene.received("upgradeUrl"), *scene.received("cancelUrl")):
        assert sent.json["payload"]["account"]["accountIdentifier"] == f"host-{sent.json['subscriptionId']}"
    await scene.assert_well()


async def test_an_order_that_is_refused_says_so_and_can_be_sent_again(scene: Scene) -> None:
    integration, headers = await scene.integration(), await scene.account()
    scene.host.default = Reply(body=b'{"success":false,"errorCode":"FORBIDDEN","message":"no seats left"}')
    one = await scene.install(integration, headers)
    found = await scene.installed(one, "REFUSED")
    assert found["standingText"] == "no seats left"
    await scene.json("DELETE", f"{ALL}/{one['_id']}", 204, headers=headers)
    assert await scene.types() == ["SUBSCRIPTION_ORDER"]


async def test_the_host_application_is_called_back_signed_once_it_is_installed(scene: Scene) -> None:
    secret = await settle_in(scene, notification_url=scene.host.url("/callbacks"))
    integration = await scene.integration()
    asked = Asked(
        "x",
        "A-1",
        integration.connector_id,
        marketplace_id=MARKETPLACE,
        complete_parameter="order-7",
        creator="a@b.example",
    )
    made = await scene.services.installer.create(
        Caller("page", frozenset(), account_id="A-1"), new_installation_id(1_700_000_000_000), asked, Cause(None)
    )
    [called] = await until(lambda: scene.received("callbacks"))
    assert called.json == {
        "Status": "installed",
        "AccountId": "A-1",
        "IntegrationId": made.id,
        "ProductId": "P-1",
        "MarketplaceId": MARKETPLACE,
        "CompleteParameter": "order-7",
    }
    check(called, secret)
    [order] = scene.received("createUrl")
    assert order.json["creator"]["email"] == "a@b.example"
    assert order.json["payload"]["company"]["name"] == "Customer X"
    await scene.json("DELETE", f"{ALL}/{made.id}", 204)
    _, gone = await until(lambda: found if len(found := scene.received("callbacks")) == 2 else None)
    assert gone.json["Status"] == "uninstalled"
    assert await scene.types() == ["SUBSCRIPTION_ORDER", "SUBSCRIPTION_CANCEL"]
    await scene.assert_well()


async def test_the_host_application_is_called_back_of_what_is_installed_without_its_pages(scene: Scene) -> None:
    await settle_in(scene, notification_url=scene.host.url("/callbacks"))
    integration, headers = await scene.integration(products=("P-1", "P-2")), await scene.account()
    one = await scene.install(integration, headers, productId="P-2")
    await scene.installed(one)
    await emitted(scene)
    await until(lambda: len(scene.received("callbacks")) == 2)
    [other] = [each for each in await scene.json("GET", ALL, 200) if each["_id"] != one["_id"]]
    for each in (one, other):
        await scene.json("DELETE", f"{ALL}/{each['_id']}", 204)
    called = await until(lambda: found if len(found := scene.received("callbacks")) == 4 else None)
    told = [(each.json["Status"], each.json["IntegrationId"], each.json["MarketplaceId"]) for each in called]
    assert told == [
        (status, each["_id"], MARKETPLACE) for status in ("installed", "uninstalled") for each in (one, other)
    ]
    await scene.assert_well()


async def test_every_status_names_the_account_as_its_order_did(scene: Scene) -> None:
    urls = {name: scene.host.url(f"/{name}") for name in ("createUrl", "upgradeUrl", "cancelUrl", "eventStatusUrl")}
    integration, headers = await scene.integration(urls=urls), await scene.account()
    one = await scene.installed(await scene.install(integration, headers))
    scene.host.default = Reply.of(200, {"success": True, "accountIdentifier": "another"})
    await scene.json("PUT", f"{ALL}/{one['_id']}", 200, json=one | {"settings": {"n": 1}}, headers=headers)
    await scene.json("DELETE", f"{ALL}/{one['_id']}", 204, headers=headers)
    notices = await until(lambda: found if len(found := scene.received("eventStatusUrl")) == 3 else None)
    told = {each.json["payload"]["event"]["type"]: each.json["payload"]["account"] for each in notices}
    assert set(told) == {f"SUBSCRIPTION_{kind}" for kind in ("ORDER", "CHANGE", "CANCEL")}
    assert {account["accountIdentifier"] for account in told.values()} == {one["accountIdentifier"]}


def check(called: Received, secret: str) -> None:
    event_id, at, signature = (called.headers[f"webhook-{name}"] for name in ("id", "timestamp", "signature"))
    assert verify([parse_secret(secret)], event_id, at, signature, called.body, now_s=float(at)).genuine


async def test_an_order_of_the_backend_installs_for_an_account_that_is_known(scene: Scene) -> None:
    await settle_in(scene)
    integration = await scene.integration(*STEPS)
    order = {"editionCode": "BASIC", "items": [{"unit": "USER", "quantity": 3}]}
    first = await emitted(scene, key="k-1", payload={"order": order})
    again = await emitted(scene, key="k-1", payload={"order": order})
    assert first["id"] == again["id"]
    [one] = await scene.json("GET", ALL, 200)
    assert (one["mode"], one["productId"], one["_accountId"]) == ("settings", "P-1", "A-1")
    assert (one["_connectorId"], one["edition"], one["quantity"]) == (integration.connector_id, "BASIC", 3)
    found = await scene.installed(one)
    assert found["accountIdentifier"] == f"host-{one['_id']}"
    assert await scene.types() == ["SUBSCRIPTION_ORDER"]
    await scene.assert_well()


async def test_what_is_installed_is_not_ordered_again_but_another_subscription_is(scene: Scene) -> None:
    await settle_in(scene)
    await scene.integration()
    await emitted(scene)
    [one] = await scene.json("GET", ALL, 200)
    await scene.installed(one)
    again = {"type": "create", "productId": "P-1", "accountId": "A-1", "payload": {}}
    refused = await scene.json("POST", "/v1/events", 409, json=again)
    assert refused["errors"][0]["code"] == "already_ordered"
    assert one["_id"] in refused["errors"][0]["message"]
    batch = await scene.json("POST", "/v1/events/batch", 200, json=[again, again | {"type": "notify"}])
    assert batch["results"][0]["status"] == 409
    await emitted(scene, subscriptionId="S-2")
    assert len(await scene.json("GET", ALL, 200)) == 1
    await scene.assert_well()


async def test_orders_in_parallel_install_once(scene: Scene) -> None:
    await settle_in(scene)
    await scene.integration()
    order = {"type": "create", "productId": "P-1", "accountId": "A-1", "payload": {}}
    answers = await asyncio.gather(*(scene.ask("POST", "/v1/events", json=order) for _ in range(5)))
    assert sorted(answer.status for answer in answers) == [202, 409, 409, 409, 409]
    [one] = await scene.json("GET", ALL, 200)
    await scene.installed(one)
    assert await scene.types() == ["SUBSCRIPTION_ORDER"]


async def test_an_order_of_the_backend_is_the_order_of_what_waits_for_its_steps(scene: Scene) -> None:
    await settle_in(scene)
    integration, headers = await scene.integration(*STEPS), await scene.account()
    one = await scene.install(integration, headers)
    await emitted(scene)
    for function in ("verifyConnection", "verifyBundle"):
        await scene.call(one, function, headers)
    await scene.installed(one)
    assert (await scene.types()).count("SUBSCRIPTION_ORDER") == 1
    assert len(await scene.json("GET", ALL, 200)) == 1


async def test_an_order_for_an_account_that_nobody_knows_installs_nothing(scene: Scene) -> None:
    await settle_in(scene)
    await scene.integration()
    await emitted(scene, accountId="A-9")
    assert await scene.json("GET", ALL, 200) == []


async def test_orders_in_parallel_with_one_key_install_once(scene: Scene) -> None:
    await settle_in(scene)
    await scene.integration()
    made = await asyncio.gather(*(emitted(scene, key="k") for _ in range(5)))
    assert len({one["id"] for one in made}) == 1
    assert len(await scene.json("GET", ALL, 200)) == 1
    assert await scene.types() == ["SUBSCRIPTION_ORDER"]


async def test_a_lost_process_leaves_nothing_that_a_worker_does_not_mend(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Effects are in the outbox and nobody applies them: as after a crash right behind the write."""
    integration, headers = await scene.integration(), await scene.account()
    await scene.stop_work()

    async def nothing(_: Effects, installation_id: str) -> int:
        return 0

    monkeypatch.setattr(Effects, "apply", nothing)
    monkeypatch.setattr(Follower, "follow", lambda *_: None)
    one = await scene.install(integration, headers)
    assert await scene.types() == []
    monkeypatch.undo()
    await scene.work()
    await scene.installed(one)
    assert await scene.types() == ["SUBSCRIPTION_ORDER"]
    await scene.assert_well()
