"""The console in a real browser: accessible, never wider than the screen, in both schemes."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from playwright.async_api import Page

from dispatcher.model.status import Status
from tests.api.conftest import ADMIN_ID, ADMIN_SECRET
from tests.api.console.conftest import SIGN_IN, Visitor
from tests.api.worker_hand import WorkerHand
from tests.browser import SCHEMES, WIDTHS, Visitors, assert_accessible, assert_fits, screenshot


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
    for number, path in enumerate((*paths, "/console/events?accountId=nobody")):
        if number == 2:
            await WorkerHand(api).settle(first, Status.RETRYING, delay_ms=60_000)
        await page.goto(visitor.origin + path)
        await screenshot(page, tmp_path, f"{number}")
        await assert_accessible(page)
        await assert_fits(page)
