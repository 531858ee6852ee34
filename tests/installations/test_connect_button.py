"""From the Connect button to the delivered CANCEL in a real browser, in a popup and in a frame of another site."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from playwright.async_api import Frame, Page, expect
from redis.asyncio import Redis

from dispatcher.api.app import build_app
from dispatcher.api.services import SERVICES
from dispatcher.marketplace.routes import mount_marketplace
from dispatcher.model.integration import OrderFormField
from dispatcher.sample_host_application import HostApplication
from dispatcher.store.secrets.signing_keys import SigningKeyStore
from tests.api.conftest import ADMIN_ID, ADMIN_SECRET
from tests.browser import Visitors
from tests.hosts import ProductHost
from tests.installations.conftest import STEPS, Scene, completes, scene_settings, step_reply
from tests.ports import free_port
from tests.waiting import until

FORM = {"sections": [{"title": "Orders", "fields": [{"name": "prefix", "label": "Prefix", "value": "A-"}]}]}
ASKED = (OrderFormField("domain", "Domain", "TEXT", required=True),)


@dataclass
class Town:
    """Everybody: a product host, the dispatcher with a worker, and a host application."""

    scene: Scene
    application: HostApplication

    async def types(self, count: int) -> list[str]:
        assert self.application.account_id is not None
        return [event["type"] for event in await self.scene.ended(count, self.application.account_id)]


@pytest.fixture
async def town(redis: Redis, redis_url: str, signing_key: str, product_host: ProductHost) -> AsyncIterator[Town]:
    product_host.default = step_reply(completes)
    port = free_port()
    settings = scene_settings(public_base_url=f"http://127.0.0.1:{port}", port=port)
    await SigningKeyStore(redis).offer(signing_key)
    app = await build_app(settings, redis)
    mount_marketplace(app)
    application = HostApplication(settings.base_url, ADMIN_ID, ADMIN_SECRET, 27)
    async with TestClient(TestServer(app, port=port)) as http, application:
        scene = Scene(redis, redis_url, settings, product_host, http, app[SERVICES])
        scene.headers = await scene.bearer()
        await scene.integration(*STEPS, order_require_form_fields=True, order_form_fields=ASKED)
        shown = {"id": 27, "name": "Acme", "productIds": ["P-1"], "allowedOrigins": [application.url]}
        await scene.json("POST", "/v1/marketplaces", 201, json=shown)
        await scene.work()
        yield Town(scene, application)
        with contextlib.suppress(asyncio.CancelledError):
            await scene.stop_work()


async def click(place: Page | Frame, name: str) -> None:
    await (
        place.get_by_role("button", name=name, exact=True)
        .or_(place.get_by_role("link", name=name, exact=True))
        .first.click()
    )


async def ordered(place: Page | Frame) -> None:
    """From the list of apps to one that is installed."""
    await click(place, "Install")
    await click(place, "Order")
    await expect(place.get_by_text("Domain is needed.")).to_be_visible()
    await place.get_by_label("Domain").fill("shop.example")
    await click(place, "Order")
    for done in ("0 of 2 done", "1 of 2 done"):
        await expect(place.get_by_text(done)).to_be_visible()
        await click(place, "Check")
    await expect(place.get_by_role("heading", name="Test is installed")).to_be_visible(timeout=20_000)


async def give_settings(town: Town) -> None:
    """The owner of the integration puts a form into the installation."""
    [one] = await town.scene.json("GET", "/v1/integrations", 200)
    body = {"name": one["name"], "_connectorId": one["_connectorId"], "settings": FORM}
    await town.scene.json("PUT", f"/v1/integrations/{one['_id']}", 200, json=body)


async def used_and_left(place: Page | Frame) -> None:
    """Settings, a colleague, and the way out."""
    await click(place, "Settings")
    await place.get_by_label("Prefix").fill("B-")
    await click(place, "Save")
    await expect(place.get_by_text("Saved, and the app is told.")).to_be_visible()
    await click(place, "Back")
    await click(place, "People")
    await click(place, "Assign")
    await expect(place.get_by_text("assigned", exact=True)).to_be_visible()
    await click(place, "Back")
    await click(place, "Uninstall")
    await expect(place.get_by_role("heading", name="Uninstall Test?")).to_be_visible()
    await click(place, "Uninstall")
    await expect(place.get_by_role("link", name="Install", exact=True)).to_be_visible(timeout=20_000)


STORY = ["INSTALL_STEP", "INSTALL_STEP", "SUBSCRIPTION_ORDER", "SUBSCRIPTION_CHANGE", "USER_ASSIGNMENT"]
END = ["UNINSTALL_STEP", "UNINSTALL_STEP", "SUBSCRIPTION_CANCEL"]


async def judged(town: Town) -> None:
    """Every notification came once, signed, in order."""
    assert await town.types(len(STORY + END)) == STORY + END
    [order] = [one for one in town.scene.received("createUrl") if one.json["type"] == "SUBSCRIPTION_ORDER"]
    assert order.json["payload"]["configuration"] == {"domain": "shop.example"}
    assert order.json["creator"]["email"] == "user@example.com"
    [change] = town.scene.received("upgradeUrl")
    assert change.json["payload"]["account"]["accountIdentifier"].startswith("host-")
    assert change.json["payload"]["configuration"]["sections"][0]["fields"][0]["value"] == "B-"
    cancels = [one for one in town.scene.received("cancelUrl") if one.json["type"] == "SUBSCRIPTION_CANCEL"]
    assert len(cancels) == 1
    await town.scene.assert_well()


async def said(host: Page, count: int) -> list[str]:
    """What the host application's page has heard."""
    lines = host.locator("#messages li")
    await expect(lines).to_have_count(count)
    return await lines.all_text_contents()


async def test_in_a_popup(town: Town, visitors: Visitors) -> None:
    host = await visitors.page()
    await host.goto(town.application.url)
    async with host.expect_popup() as opening:
        await host.get_by_role("button", name="Connect", exact=True).click()
    popup: Page = await opening.value
    await expect(popup.get_by_role("heading", name="Apps for Customer X")).to_be_visible()
    await ordered(popup)
    assert await said(host, 1) == ["marketplace.installed P-1 installed"]
    await popup.reload()
    assert len(await said(host, 1)) == 1
    await give_settings(town)
    await used_and_left(popup)
    await click(popup, "Done")
    assert (await said(host, 2))[1] == "marketplace.done done"
    await judged(town)


async def framed(host: Page, town: Town) -> Frame:
    await host.goto(town.application.url)
    await host.get_by_role("button", name="Connect in a frame").click()

    async def found() -> Any:
        return next((one for one in host.frames if "/launch/marketplace/27" in one.url), None)

    frame: Frame = await until(found)
    return frame


async def test_in_a_frame_of_another_site(town: Town, visitors: Visitors) -> None:
    host = await visitors.page()
    frame = await framed(host, town)
    await expect(frame.get_by_role("heading", name="Apps for Customer X")).to_be_visible()
    await ordered(frame)
    assert await said(host, 1) == ["marketplace.installed P-1 installed"]
    await give_settings(town)
    await used_and_left(frame)
    await judged(town)
