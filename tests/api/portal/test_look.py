"""A product host's page in a real browser: opened by a click, accessible, never wider than the screen, both schemes."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

from dispatcher.api.services import PING_STARTER
from dispatcher.model.event_type import EventType
from dispatcher.model.integration import Integration
from dispatcher.model.ping import PingStatus, PingStep, PingTest, StepName
from dispatcher.model.status import Status
from tests.api.portal.conftest import URL, Host
from tests.browser import SCHEMES, WIDTHS, Visitors, assert_accessible, assert_fits, keep_picture

PAGES = ("/portal", "/portal/pings", "/portal/keys", "/portal/nothing")


class Failing:
    """Concludes a ping at once, as a worker would whose connection was refused."""

    def __init__(self, host: Host) -> None:
        self._host = host

    async def start(self, integration: Integration, test: PingTest) -> None:
        steps = (
            PingStep(StepName.DNS, True, 1.2, "host.example is 192.0.2.1"),
            PingStep(StepName.CONNECT, False, 5.0, "refused", "Open the port in the firewall."),
        )
        results = tuple(
            type(one)(one.event_type, PingStatus.FAILED, one.url, message="Nobody listens there.", steps=steps)
            for one in test.results
        )
        ended = PingTest(test.id, test.version, PingStatus.FAILED, test.started_ms, results=results)
        await self._host.api.services.definitions.pings.replace(integration.id, ended)


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
async def test_every_page_is_accessible_and_fits(
    visitors: Visitors, host: Host, tmp_path: Path, width: int, scheme: Literal["light", "dark"]
) -> None:
    page = await visitors.page(width, scheme)
    link = await host.link()
    await page.goto(host.origin + link)
    await keep_picture(page, tmp_path, "open")
    await assert_accessible(page)
    assert page.url == host.origin + link.partition("#")[0], "the secret stays in the address"
    await page.get_by_role("button", name="Continue").click()
    await page.wait_for_url("**/portal")
    for number, path in enumerate(PAGES):
        await page.goto(host.origin + path)
        await keep_picture(page, tmp_path, f"empty-{number}")
        await assert_accessible(page)
        await assert_fits(page)
    host.api.http.app._state[PING_STARTER] = Failing(host)
    dead = (await host.api.emit(payload={"note": "x" * 200}))["id"]
    await host.hand.settle(dead, Status.DEAD)
    for number in range(3):
        await host.api.emit(accountId=f"A-{number}")
    await page.goto(f"{host.origin}/portal/pings")
    await page.get_by_role("button", name="Send a ping").click()
    await page.get_by_text("The last ping failed").wait_for()
    await page.goto(f"{host.origin}/portal/keys")
    for _ in range(2):
        await page.get_by_role("button", name="Make it").click()
        await page.get_by_text("Copy the secret now").wait_for()
    await keep_picture(page, tmp_path, "rotated")
    await assert_accessible(page)
    await assert_fits(page)
    for number, path in enumerate((*PAGES, f"/portal/events/{dead}")):
        await page.goto(host.origin + path)
        await keep_picture(page, tmp_path, f"full-{number}")
        await assert_accessible(page)
        await assert_fits(page)
    assert EventType.SUBSCRIPTION_ORDER.value in await page.title()
    assert URL in await page.content()
    await page.get_by_role("button", name="Leave").click()
    await page.get_by_text("You have left").wait_for()
