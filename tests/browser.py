"""Visitors of pages, each in a fresh browser context, and what the browser complained of; a pytest plugin.

A test fails by whatever the browser reports as an error: an exception of a script, a policy (CSP) that stopped or would
have stopped something, a file that was not there. What a test provokes, it names with ``Visitors.expect``.
"""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.base import AXE_SCRIPT, AxeResults
from playwright.async_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Response,
    WebError,
    async_playwright,
    expect,
)

DESKTOP, PHONE = 1280, 390
WIDTHS = (DESKTOP, PHONE)
HEIGHT = 800
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")

PATIENCE_MS = 30_000
"""As long as any wait: Playwright's own ``expect`` gives up after five seconds, in which a process may stand still."""
expect.set_options(timeout=PATIENCE_MS)

PICTURES = os.environ.get("PICTURES") == "1"
"""Tests of pages leave pictures in their ``tmp_path`` if this is set (``--basetemp`` of pytest says where)."""

VIOLATIONS = "axe.run({resultTypes: ['violations']}).then(({violations}) => ({violations}))"

FILE_NOT_LOADED = "Failed to load resource"
"""Chromium's complaint of any answer from 400 on, of the page itself too, which is a test's own affair."""

POLICY = "Content Security Policy"
"""In every complaint of a policy; one that only reports is no error to Chromium."""


class Visitors:
    """Opens pages and keeps complaints."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.complaints: list[str] = []
        self.expected: list[str] = []
        self.contexts: list[BrowserContext] = []

    async def context(
        self, width: int = DESKTOP, scheme: Literal["light", "dark"] = "light", **options: Any
    ) -> BrowserContext:
        """A visitor of their own: cookies and storage are empty. ``options`` are Playwright's ``new_context``'s."""
        size = {"width": width, "height": HEIGHT}
        made = await self.browser.new_context(viewport=size, color_scheme=scheme, **options)  # type: ignore[arg-type]
        made.on("console", self._said)
        made.on("weberror", self._raised)
        made.on("response", self._answered)
        self.contexts.append(made)
        return made

    async def page(self, width: int = DESKTOP, scheme: Literal["light", "dark"] = "light", **options: Any) -> Page:
        """An empty page of a new visitor."""
        return await (await self.context(width, scheme, **options)).new_page()

    def expect(self, pattern: str) -> None:
        """Let pass, and demand, at least one complaint that matches."""
        self.expected.append(pattern)

    async def leave(self) -> None:
        """Close every page; what the browser had said by then has arrived."""
        for context in self.contexts:
            await context.close()
        self.contexts.clear()

    def assert_no_complaint(self) -> None:
        unexpected = [
            text for text in self.complaints if not any(re.search(pattern, text) for pattern in self.expected)
        ]
        assert not unexpected, "the browser complained:\n" + "\n".join(unexpected)
        missing = [pattern for pattern in self.expected if not any(re.search(pattern, s) for s in self.complaints)]
        assert not missing, f"the browser did not complain of {missing}"

    def _said(self, message: ConsoleMessage) -> None:
        of_error = message.type == "error" and not message.text.startswith(FILE_NOT_LOADED)
        if of_error or POLICY in message.text:
            self.complaints.append(message.text)

    def _raised(self, error: WebError) -> None:
        self.complaints.append(str(error.error))

    def _answered(self, response: Response) -> None:
        if response.status >= 400 and not response.request.is_navigation_request():
            self.complaints.append(f"{response.status} {response.request.method} {response.url}")


@asynccontextmanager
async def visiting(devtools_url: str) -> AsyncIterator[Visitors]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.connect_over_cdp(devtools_url)
        visitors = Visitors(browser)
        try:
            yield visitors
        finally:
            await visitors.leave()
            await browser.close()
    visitors.assert_no_complaint()


@pytest.fixture
async def visitors(devtools_url: str) -> AsyncIterator[Visitors]:
    """``await visitors.page()`` is a page; complaints of the browser fail the test at its end."""
    async with visiting(devtools_url) as made:
        yield made


async def screenshot(page: Page, folder: Path, name: str) -> Path:
    """The whole page as a PNG file in ``folder``, a test's ``tmp_path``."""
    path = folder / f"{name}.png"
    await page.screenshot(path=path, full_page=True, animations="disabled")
    return path


async def keep_picture(page: Page, folder: Path, name: str) -> None:
    """A screenshot for people who ask for it, since every one takes as long as loading the page."""
    if PICTURES:
        await screenshot(page, folder, name)


async def assert_accessible(page: Page) -> None:
    """No violation of WCAG 2.2 AA, nor of axe-core's best practices, as the page stands now."""
    await page.evaluate(AXE_SCRIPT)
    results = AxeResults(await page.evaluate(VIOLATIONS))
    assert not results.violations_count, f"{page.url}\n{results.generate_report()}"


async def assert_fits(page: Page) -> None:
    """The page does not scroll sideways."""
    needed, given = await page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert needed <= given, f"{page.url} is {needed} px wide on {given} px"
