"""The link that a host application gets, opened over HTTP: once, by a person, and nowhere but here."""

from __future__ import annotations

import asyncio
from urllib.parse import quote, urlsplit

import pytest
from aiohttp import ClientResponse

from tests.api.conftest import Api
from tests.api.installations.embedding import Partner, open_shop, partner_of


@pytest.fixture
async def partner(api: Api) -> Partner:
    await open_shop(api)
    return await partner_of(api, 27)


async def path_of(partner: Partner) -> str:
    link = urlsplit((await partner.session())["MarketplaceUrl"])
    return f"{link.path}?{link.query}"


async def ask(api: Api, path: str, method: str = "GET", **headers: str) -> ClientResponse:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return await api.http.request(method, path, allow_redirects=False, headers=given)


async def test_c18_the_link_leads_to_the_marketplace_with_a_session(api: Api, partner: Partner) -> None:
    answer = await ask(api, await path_of(partner))
    assert answer.status == 302
    assert urlsplit(answer.headers["Location"]).path == "/launch/marketplace/27"
    assert "token" not in answer.headers["Location"]
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    kept = cookie.partition(";")[0]
    assert (await ask(api, "/launch/marketplace/27", Cookie=kept)).status == 200
    assert (await ask(api, "/launch/marketplace/28", Cookie=kept)).status == 401


async def test_c20_one_of_20_parallel_gets_opens_it(api: Api, partner: Partner) -> None:
    path = await path_of(partner)
    answers = await asyncio.gather(*(ask(api, path) for _ in range(20)))
    assert sorted(answer.status for answer in answers) == [302] + [410] * 19
    assert (await ask(api, path)).status == 410


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("HEAD", {}),
        ("OPTIONS", {}),
        ("GET", {"Sec_Purpose": "prefetch"}),
        ("GET", {"Sec_Purpose": "prefetch;prerender"}),
        ("GET", {"Purpose": "preview"}),
        ("GET", {"Purpose": "prefetch"}),
    ],
)
async def test_c27_c32_whoever_only_looks_consumes_nothing(
    api: Api, partner: Partner, method: str, headers: dict[str, str]
) -> None:
    path = await path_of(partner)
    looked = await ask(api, path, method, **headers)
    assert looked.status != 302
    assert "Set-Cookie" not in looked.headers
    assert (await ask(api, path)).status == 302


async def test_c21_it_is_too_late_after_five_minutes(api: Api, partner: Partner) -> None:
    path = await path_of(partner)
    api.clock.now_s += 301
    assert (await ask(api, path)).status == 410


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example", "//evil.example", "/\\evil.example", "/launch/marketplace/28", "javascript:alert(1)"],
)
async def test_c28_a_return_url_that_leads_elsewhere_is_not_heeded(api: Api, partner: Partner, elsewhere: str) -> None:
    path = (await path_of(partner)).partition("&returnUrl=")[0]
    answer = await ask(api, f"{path}&returnUrl={quote(elsewhere, safe='')}")
    assert answer.status == 302
    assert urlsplit(answer.headers["Location"]).path == "/launch/marketplace/27"
    assert not urlsplit(answer.headers["Location"]).netloc.endswith("evil.example")


async def test_c32_a_marketplace_may_ask_for_a_click_first(api: Api) -> None:
    await open_shop(api, confirm=True)
    partner = await partner_of(api, 27)
    path = await path_of(partner)
    for _ in range(2):
        shown = await ask(api, path)
        assert shown.status == 200
        assert "Set-Cookie" not in shown.headers


async def test_ending_an_accounts_sessions_ends_those_in_browsers(api: Api, partner: Partner) -> None:
    kept = (await ask(api, await path_of(partner))).headers["Set-Cookie"].partition(";")[0]
    assert (await ask(api, "/launch/marketplace/27", Cookie=kept)).status == 200
    account_id = (await partner.session())["AccountId"]
    assert (await partner.ask("DELETE", f"/v1.0/accounts/{account_id}/sessions")).status == 204
    assert (await ask(api, "/launch/marketplace/27", Cookie=kept)).status == 401


async def test_c32_no_token_is_in_any_log(api: Api, partner: Partner, capsys: pytest.CaptureFixture[str]) -> None:
    made = await partner.session()
    link = urlsplit(made["MarketplaceUrl"])
    for _ in range(2):
        await ask(api, f"{link.path}?{link.query}")
    assert made["Token"] not in capsys.readouterr().out
