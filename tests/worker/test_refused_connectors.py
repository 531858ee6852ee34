"""Values of connectors that a host refuses, and hosts of accounts that are away: one account's affair."""

from __future__ import annotations

import asyncio

from standardwebhooks import Webhook

from dispatcher.model.status import Status
from tests.hosts import ProductHost, Received, Reply
from tests.ports import free_port
from tests.waiting import until
from tests.worker.connector_parts import BASIC, PRODUCT, HostApplication, app, authorization, second_host

__all__ = ["app", "second_host"]


async def test_an_accounts_dead_host_does_not_open_the_circuit_of_all(app: HostApplication) -> None:
    integration = await app.shop.integration(schedule_s=(0.01,) * 12)
    await app.sells(integration)
    await app.connects("A", AuthValue=BASIC, Properties=[{"Name": "Url", "Value": f"http://127.0.0.1:{free_port()}"}])
    ended = await app.shop.ended(await app.shop.emit(integration, "A"))
    assert ended.state.status is Status.DEAD
    assert authorization(await app.notified(integration, "B")) == {}


async def needs_attention(app: HostApplication, account: str = "A") -> str | None:
    return (await app.connectors(account))[0]["NeedsAttention"]  # type: ignore[no-any-return]


async def test_c35_a_refused_value_holds_the_accounts_events_until_there_is_another(app: HostApplication) -> None:
    integration = await app.shop.integration(schedule_s=())
    await app.sells(integration)
    connector = await app.connects("A", AuthValue="old-value")

    def only_new(request: Received) -> Reply:
        return Reply() if request.headers.get("X-Api-Key") == "new-value" else Reply(401, b"")

    app.shop.host.default = only_new
    first = await app.shop.emit(integration, "A", payload={"n": 1})
    await until(lambda: needs_attention(app))
    later = [await app.shop.emit(integration, "A", payload={"n": n}) for n in (2, 3)]
    await app.shop.status(first, Status.HELD)
    explained = await app.json("GET", f"/v1/events/{first}/explain")
    assert explained["reason"] == "credentials_refused"
    assert len(app.shop.host.requests) == 1
    app.shop.host.default = Reply()
    await app.shop.ended(await app.shop.emit(integration, "B"))
    app.shop.host.requests.clear()
    app.shop.host.default = only_new
    changed = await app.change("A", connector, AuthValue="new-value")
    assert (changed["Id"], changed["Authenticated"], changed["NeedsAttention"]) == (connector, True, None)
    for event_id in (first, *later):
        assert (await app.shop.ended(event_id)).state.status is Status.SUCCEEDED
    assert [one.json["payload"]["n"] for one in app.shop.host.requests] == [1, 2, 3]
    await app.shop.assert_well()


async def test_c35_the_marketplace_is_told_once(app: HostApplication, second_host: ProductHost) -> None:
    integration = await app.shop.integration(schedule_s=())
    await app.shop.definitions.link(PRODUCT, integration.id, 3)
    shop = {"id": 27, "name": "Acme", "productIds": [PRODUCT], "notificationUrl": second_host.url("/callbacks")}
    secret = (await app.json("POST", "/v1/marketplaces", shop))["signingSecret"]
    connector = await app.connects("A", AuthValue="old-value")
    app.shop.host.default = Reply(401, b"")
    await app.shop.emit(integration, "A")
    (callback,) = await second_host.wait_for(1)
    told = callback.json
    assert (told["Status"], told["AccountId"], told["ConnectorId"]) == ("needs_attention", "A", connector)
    Webhook(secret).verify(callback.body, {name.lower(): value for name, value in callback.headers.items()})
    await app.change("A", connector, AuthValue="other-value")
    await second_host.wait_for(2)
    assert len({one.headers["webhook-id"] for one in second_host.requests}) == 2


async def test_a_value_that_was_replaced_meanwhile_is_not_held_against_its_successor(app: HostApplication) -> None:
    integration = await app.shop.integration(schedule_s=(0.05,))
    await app.sells(integration)
    connector = await app.connects("A", AuthValue="old-value")
    gate = asyncio.Event()

    async def renew() -> None:
        await app.shop.host.wait_for(1)
        await app.change("A", connector, AuthValue="new-value")
        gate.set()

    app.shop.host.default = Reply(401, b"", delay_s=1.0)
    renewing = asyncio.create_task(renew())
    event_id = await app.shop.emit(integration, "A")
    await gate.wait()
    app.shop.host.default = Reply()
    await renewing
    await app.shop.until(event_id, lambda stored: stored.state.attempts > 0)
    assert await needs_attention(app) is None
