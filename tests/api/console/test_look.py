"""The console in a real browser: accessible, never wider than the screen, in both schemes."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from playwright.async_api import Page

from dispatcher.model.status import Status
from dispatcher.store.queue.search import listing
from tests.api.conftest import ADMIN_ID, ADMIN_SECRET
from tests.api.console.conftest import SIGN_IN, Visitor
from tests.api.worker_hand import WorkerHand
from tests.browser import SCHEMES, WIDTHS, Visitors, assert_accessible, assert_fits, keep_picture


async def signed_in(page: Page, visitor: Visitor) -> None:
    await page.goto(f"{visitor.origin}{SIGN_IN}")
    await page.get_by_label("Client id").fill(ADMIN_ID)
    await page.get_by_label("Client secret").fill(ADMIN_SECRET)
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url("**/console")


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
async def test_every_page_is_accessible_and_fits(
    visitors: Visitors, visitor: Visitor, tmp_path: Path, width: int, scheme: Literal["light", "dark"]
) -> None:
    api = visitor.api
    first, second = [(await api.emit(payload={"note": i}))["id"] for i in range(2)]
    page = await visitors.page(width, scheme)
    await page.goto(f"{visitor.origin}{SIGN_IN}")
    await assert_accessible(page)
    await signed_in(page, visitor)
    paths = ("/console", "/console/events", f"/console/events/{first}", f"/console/events/{second}", "/console/nothing")
    further = ("/console/issues", "/console/redeliveries", "/console/workers", "/console/pauses", "/console/views/new")
    wrong = ("/console/events?q=status:deda", "/console/events?accountId=nobody")
    for number, path in enumerate((*paths, *further, *wrong)):
        if number == 2:
            await WorkerHand(api).settle(first, Status.RETRYING, delay_ms=60_000)
        await page.goto(visitor.origin + path)
        await keep_picture(page, tmp_path, f"{number}")
        await assert_accessible(page)
        await assert_fits(page)


async def test_figures_come_by_themselves_and_rest_under_the_pointer(visitors: Visitors, visitor: Visitor) -> None:
    """The page's own clock is wound on, so that nothing waits for it."""
    page = await visitors.page()
    await page.clock.install()
    await signed_in(page, visitor)
    await page.locator("#live", has_text="live").wait_for()
    await visitor.api.emit()
    await page.clock.run_for(5_000)
    await page.locator("#lanes table").hover()
    await page.clock.run_for(5_000)
    await page.locator("#live", has_text="paused").wait_for()


async def test_a_search_goes_on_by_itself_until_it_has_come_to_its_end(
    visitors: Visitors, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    for account in ("A-1", "A-1", *["A-2"] * 20):
        await visitor.api.emit(accountId=account)
    monkeypatch.setattr(listing, "MAX_LOOKED", 3)
    monkeypatch.setattr(listing, "SCAN_CHUNK", 3)
    page = await visitors.page()
    await signed_in(page, visitor)
    await page.goto(f"{visitor.origin}/console/events?q=account%3AA-1")
    await page.locator("#onward", has_text="No older event").wait_for()
    assert await page.locator("#found tbody tr").count() == 2
    await assert_accessible(page)


async def test_keys_find_go_and_open(visitors: Visitors, visitor: Visitor) -> None:
    event = await visitor.api.emit()
    page = await visitors.page()
    await signed_in(page, visitor)
    await page.keyboard.press("?")
    await page.get_by_role("dialog", name="Keys").wait_for()
    await page.keyboard.press("Escape")
    for key in ("g", "e"):
        await page.keyboard.press(key)
    await page.wait_for_url("**/console/events")
    for key in ("j", "Enter"):
        await page.keyboard.press(key)
    await page.wait_for_url(f"**/console/events/{event['id']}")
    await page.keyboard.press("/")
    assert await page.evaluate("document.activeElement.id") == "find"


async def test_pages_work_without_scripts(visitors: Visitors, visitor: Visitor) -> None:
    event = await visitor.api.emit()
    await WorkerHand(visitor.api).settle(event["id"], Status.RETRYING, delay_ms=3_600_000)
    page = await visitors.page(390, java_script_enabled=False)
    await signed_in(page, visitor)
    await page.goto(f"{visitor.origin}/console/events/{event['id']}")
    await page.get_by_role("button", name="Deliver now").click()
    await page.get_by_text("Brought forward").wait_for()
    await page.get_by_role("button", name="Menu").click()
    await page.get_by_role("link", name="Workers").click()
    await page.wait_for_url("**/console/workers")
