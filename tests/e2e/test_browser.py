"""The browser of the tests: what it finds wrong with a page fails the test that opened it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from tests.browser import SCHEMES, WIDTHS, Visitors, assert_accessible, assert_fits, screenshot, visiting
from tests.serving import serving

GOOD = '<!doctype html><html lang="en"><title>Good</title><main><h1>Good</h1><p id="p">text</p></main>'
PAGES = {
    "/good": GOOD,
    "/raises": GOOD + "<script>undefinedName()</script>",
    "/logs": GOOD + "<script>console.error('went wrong')</script>",
    "/lacks": GOOD + '<img alt="" src="/absent.png">',
    "/strict": GOOD + "<script>document.title = 'ran'</script>",
    "/report": GOOD + "<script>document.title = 'ran'</script>",
    "/reports": "kept",
    "/unlabelled": GOOD.replace("</main>", '<input type="text"></main>'),
    "/wide": GOOD.replace("</main>", '<div style="width:2000px">wide</div></main>'),
    "/dark": GOOD + "<style>@media (prefers-color-scheme: dark) { body { background: #000; color: #fff } }</style>",
}
POLICIES = {
    "/strict": ("Content-Security-Policy", "script-src 'self'"),
    "/report": ("Content-Security-Policy-Report-Only", "script-src 'self'; report-uri /reports"),
}


async def answer(request: web.Request) -> web.Response:
    body = PAGES.get(request.path)
    headers = dict([POLICIES[request.path]]) if request.path in POLICIES else {}
    return web.Response(text=body or "absent", status=200 if body else 404, content_type="text/html", headers=headers)


@pytest.fixture
async def site() -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with serving(app) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", SCHEMES)
async def test_page_is_shown_in_every_width_and_scheme(
    visitors: Visitors, site: str, tmp_path: Path, width: int, scheme: str
) -> None:
    page = await visitors.page(width, "dark" if scheme == "dark" else "light")
    await page.goto(f"{site}/dark")
    background = await page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == ("rgb(0, 0, 0)" if scheme == "dark" else "rgba(0, 0, 0, 0)")
    assert await page.evaluate("innerWidth") == width
    await assert_accessible(page)
    await assert_fits(page)
    assert (await screenshot(page, tmp_path, "dark")).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("path", "complaint"),
    [
        ("/raises", "undefinedName is not defined"),
        ("/logs", "went wrong"),
        ("/lacks", r"404 GET .*/absent\.png"),
        ("/strict", "Content Security Policy"),
        ("/report", "Content Security Policy"),
    ],
)
async def test_complaint_of_the_browser_fails_the_test(devtools_url: str, site: str, path: str, complaint: str) -> None:
    with pytest.raises(AssertionError, match=complaint):
        async with visiting(devtools_url) as visitors:
            await (await visitors.page()).goto(site + path)
    async with visiting(devtools_url) as visitors:
        visitors.expect(complaint)
        await (await visitors.page()).goto(site + path)


async def test_expected_complaint_that_does_not_come_fails_the_test(devtools_url: str, site: str) -> None:
    async with visiting(devtools_url) as visitors:
        await (await visitors.page()).goto(f"{site}/good")
    visitors.expect("Content Security Policy")
    with pytest.raises(AssertionError, match="did not complain"):
        visitors.assert_no_complaint()


async def test_answer_of_the_page_itself_is_the_tests_affair(visitors: Visitors, site: str) -> None:
    answer = await (await visitors.page()).goto(f"{site}/absent")
    assert answer
    assert answer.status == 404


async def test_visitors_share_nothing(visitors: Visitors, site: str) -> None:
    one, two = await visitors.page(), await visitors.page()
    for page in (one, two):
        await page.goto(f"{site}/good")
    await one.evaluate("document.cookie = 'a=1'")
    assert await two.evaluate("document.cookie") == ""


async def test_names_below_test_are_this_machine(visitors: Visitors, site: str) -> None:
    page = await visitors.page()
    answer = await page.goto(site.replace("127.0.0.1", "shop.test") + "/good")
    assert answer
    assert answer.ok
    with pytest.raises(Exception, match="ERR_NAME_NOT_RESOLVED"):
        await page.goto("http://elsewhere.example/")


async def test_input_without_label_is_not_accessible(visitors: Visitors, site: str) -> None:
    page = await visitors.page()
    await page.goto(f"{site}/unlabelled")
    with pytest.raises(AssertionError, match="label"):
        await assert_accessible(page)


async def test_page_that_scrolls_sideways_does_not_fit(visitors: Visitors, site: str) -> None:
    page = await visitors.page()
    await page.goto(f"{site}/wide")
    with pytest.raises(AssertionError, match="px wide"):
        await assert_fits(page)
