"""From the Connect button to the delivered CANCEL in a real browser, in a popup and in a frame of another site."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from playwright.async_api import Error as PlaywrightError
from playwright.async_api import Frame, Page, expect
from redis.asyncio import Redis
from standardwebhooks import Webhook

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
    keeps_in_frames: bool = True
    """False: cookies of frames are lost on their way, as where a browser blocks them."""

    async def lose(self, request: web.Request, response: web.StreamResponse) -> None:
        if not self.keeps_in_frames and request.headers.get("Sec-Fetch-Dest") == "iframe":
            response.headers.popall("Set-Cookie", None)

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
    http: TestClient[web.Request, web.Application] = TestClient(TestServer(app, port=port))
    scene = Scene(redis, redis_url, settings, product_host, http, app[SERVICES])
    town = Town(scene, application)
    app.on_response_prepare.append(town.lose)
    async with http, application:
        scene.headers = await scene.bearer()
        await scene.integration(*STEPS, order_require_form_fields=True, order_form_fields=ASKED)
        shown = {"id": 27, "name": "Acme", "productIds": ["P-1"], "allowedOrigins": [application.url]}
        await scene.json("POST", "/v1/marketplaces", 201, json=shown)
        await scene.work()
        yield town
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
    """Messages that the host application's page has heard."""
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


async def test_double_clicks_and_two_browsers_are_one_order(town: Town, visitors: Visitors) -> None:
    """Every button is clicked twice, in two browsers at once."""
    pages = [await visitors.page(), await visitors.page()]
    for page in pages:
        await page.goto(await town.application.connect())
        await click(page, "Install")
        await page.get_by_label("Domain").fill("shop.example")
    orders = [page.get_by_role("button", name="Order", exact=True) for page in pages]
    await asyncio.gather(*(order.dblclick() for order in orders))
    for page in pages:
        await expect(page.get_by_text("0 of 2 done")).to_be_visible(timeout=20_000)
    for done in ("1 of 2 done", "Test is installed"):
        await asyncio.gather(*(_check_twice(page) for page in pages))
        for page in pages:
            shown = page.get_by_text(done).or_(page.get_by_role("heading", name="Test is installed"))
            await expect(shown.first).to_be_visible(timeout=20_000)
    assert await town.types(3) == STORY[:3]
    await town.scene.assert_well()


async def _check_twice(page: Page) -> None:
    """If something is left to check: the other browser may be faster, and four clicks may check both steps."""
    button = page.get_by_role("button", name="Check", exact=True)
    if await button.count():
        with contextlib.suppress(PlaywrightError):
            await button.dblclick(timeout=5_000)


async def test_c31_a_tab_closed_right_after_saving_calls_back_all_the_same(town: Town, visitors: Visitors) -> None:
    """The tab is gone while the host is asked about the last step: nobody waits for that answer any more."""
    shown = {"name": "Acme", "productIds": ["P-1"], "notificationUrl": town.scene.host.url("/callbacks")}
    await town.scene.json("PUT", "/v1/marketplaces/27", 200, json=shown)
    secret = (await town.scene.json("POST", "/v1/marketplaces/27/rotate", 200))["signingSecret"]
    page = await visitors.page()
    await page.goto(await town.application.connect())
    await click(page, "Install")
    await page.get_by_label("Domain").fill("shop.example")
    await click(page, "Order")
    await expect(page.get_by_text("0 of 2 done")).to_be_visible()
    await click(page, "Check")
    await expect(page.get_by_text("1 of 2 done")).to_be_visible()
    installation_id = urlsplit(page.url).path.rpartition("/")[2]
    town.scene.host.default = step_reply(lambda request: replace(completes(request), delay_s=1.0))
    await page.get_by_role("button", name="Check", exact=True).click(no_wait_after=True)
    await until(lambda: len(town.scene.received("createUrl")) == 2)
    await page.close()
    [callback] = await until(lambda: town.scene.received("callbacks"))
    told = callback.json
    assert (told["Status"], told["IntegrationId"]) == ("installed", installation_id)
    Webhook(secret).verify(callback.body, {name.lower(): value for name, value in callback.headers.items()})
    assert await town.types(3) == STORY[:3]
    await town.scene.assert_well()


async def test_where_the_browser_keeps_nothing_a_window_does(town: Town, visitors: Visitors) -> None:
    town.keeps_in_frames = False
    host = await visitors.page()
    await host.goto(town.application.url)
    await host.get_by_role("button", name="Connect in a frame").click()
    frame = host.frame_locator("#apps")
    await expect(frame.get_by_role("heading", name="One more step")).to_be_visible()
    async with host.expect_popup() as opening:
        await frame.get_by_role("link", name="Open in a window").click()
    window: Page = await opening.value
    await expect(window.get_by_role("heading", name="Apps for Customer X")).to_be_visible()
    await ordered(window)
    assert await said(host, 1) == ["marketplace.installed P-1 installed"]


async def test_by_the_keyboard_alone(town: Town, visitors: Visitors) -> None:
    page = await visitors.page()
    await page.goto(await town.application.connect())

    async def press_on(name: str) -> None:
        """Tab until it has the focus, then Enter."""
        for _ in range(30):
            await page.keyboard.press("Tab")
            if await page.evaluate("document.activeElement.textContent.trim()") == name:
                await page.keyboard.press("Enter")
                return
        raise AssertionError(f"{name} cannot be reached by the keyboard")

    await press_on("Install")
    await expect(page.get_by_role("heading", name="Install Test")).to_be_focused()
    await page.keyboard.press("Tab")
    await page.keyboard.type("shop.example")
    await press_on("Order")
    await expect(page.get_by_role("heading", name="Install Test")).to_be_focused()
    await press_on("Check")
    await expect(page.get_by_text("1 of 2 done")).to_be_visible()
    await press_on("Check")
    await expect(page.get_by_role("heading", name="Test is installed")).to_be_visible(timeout=20_000)
