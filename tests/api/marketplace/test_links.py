"""One-time links: what opens them, what does not, and where people are led when nothing opens."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from http.cookies import SimpleCookie

import pytest

from dispatcher.model.marketplace import Marketplace
from tests.api.conftest import Start
from tests.api.marketplace.conftest import LEDGER, SHOP, Shopper

FRAMED = {"Sec_Fetch_Dest": "iframe", "Sec_Fetch_Site": "cross-site"}


async def test_the_first_get_opens_it_and_no_other(shopper: Shopper) -> None:
    link = await shopper.link()
    answer = await shopper.get(link)
    assert (answer.status, answer.headers["Location"]) == (302, SHOP)
    assert (answer.headers["Cache-Control"], answer.headers["Referrer-Policy"]) == ("no-store", "no-referrer")
    cookie = next(iter(SimpleCookie(answer.headers["Set-Cookie"]).values()))
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
    page = await shopper.look()
    assert "Apps for Customer X" in page
    assert "user@example.com" in page
    assert "This link was used already" in await shopper.look(link, 410)


async def test_a_token_whose_plus_was_not_encoded_opens_it(shopper: Shopper) -> None:
    await shopper.put_link("a+b=")
    assert (await shopper.get(f"/account/signinwithtoken?token=a+b=&returnUrl={SHOP}")).status == 302


async def test_twenty_at_once_open_it_once(shopper: Shopper) -> None:
    link = await shopper.link()
    answers = await asyncio.gather(*(shopper.get(link) for _ in range(20)))
    assert Counter(answer.status for answer in answers) == {302: 1, 410: 19}


async def test_whoever_only_looks_ahead_opens_nothing(shopper: Shopper) -> None:
    link = await shopper.link()
    for method in ("HEAD", "OPTIONS"):
        answer = await shopper.api.http.request(method, link)
        assert answer.status in (200, 204)
    for name, value in (("Sec-Purpose", "prefetch;prerender"), ("Sec-Purpose", "prefetch"), ("Purpose", "preview")):
        answer = await shopper.api.http.get(link, headers={name: value}, allow_redirects=False)
        assert (answer.status, "Set-Cookie" in answer.headers) == (425, False)
        assert answer.headers["Cache-Control"] == "no-store"
    assert (await shopper.get(link)).status == 302


async def test_a_link_that_is_too_old_or_unknown_says_so_and_leads_back(shopper: Shopper) -> None:
    link = await shopper.link(host_url="https://shop.example/apps")
    shopper.api.clock.now_s += 301
    page = await shopper.look(link, 410)
    assert "This link has expired" in page
    assert 'href="https://shop.example/apps"' in page
    unknown = await shopper.look(f"/account/signinwithtoken?token=other&returnUrl={SHOP}", 410)
    assert "This link is not known" in unknown
    assert "/account/signin?marketplace=27" in unknown
    await shopper.look("/account/signinwithtoken", 410)


@pytest.mark.parametrize(
    "elsewhere",
    [
        *("https://evil.example", "//evil.example", "/\\evil.example", "/launch/marketplace/28", "javascript:alert(1)"),
        *(
            f"{SHOP}/../28",
            f"{SHOP}%0d%0aX:y",
            "http://dispatcher.example.evil.example/launch/marketplace/27",
            "/console",
        ),
        *(f"{SHOP}0", "x" * 9000, f"http://dispatcher.example@evil.example{SHOP}"),
    ],
)
async def test_it_leads_nowhere_else(shopper: Shopper, elsewhere: str) -> None:
    link = await shopper.link()
    token = link.partition("token=")[2].partition("&")[0]
    query = {"token": token, "returnUrl": elsewhere}
    answer = await shopper.api.http.get("/account/signinwithtoken", params=query, allow_redirects=False)
    if answer.status == 400:
        assert len(elsewhere) > 8000
    else:
        assert (answer.status, answer.headers["Location"]) == (302, SHOP)


@pytest.mark.parametrize("wanted", [f"{SHOP}/history", f"{SHOP}?q=x", f"{SHOP}/products/{LEDGER}"])
async def test_it_leads_on_within_the_marketplace(shopper: Shopper, wanted: str) -> None:
    answer = await shopper.get(await shopper.link(return_url=wanted))
    assert answer.headers["Location"] == wanted
    await shopper.look(wanted)


async def test_a_link_may_open_one_product(shopper: Shopper) -> None:
    answer = await shopper.get(await shopper.link(product_id=LEDGER))
    assert answer.headers["Location"] == f"{SHOP}?product={LEDGER}"
    led = await shopper.get(answer.headers["Location"])
    assert (led.status, led.headers["Location"]) == (303, f"{SHOP}/products/{LEDGER}")


async def test_a_marketplace_may_ask_for_a_click_first(shopper: Shopper) -> None:
    await shopper.change_marketplace(confirm=True)
    link = await shopper.link()
    for _ in range(3):
        page = await shopper.look(link)
        assert "Continue" in page
    form = dict(re.findall(r'name="(token|returnUrl)" value="([^"]*)"', page))
    post = shopper.api.http.post
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        refused = await post("/account/signinwithtoken", data=form, headers=headers, allow_redirects=False)
        assert refused.status == 403
    answer = await post("/account/signinwithtoken", data=form, headers={"Origin": "null"}, allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (302, SHOP)
    assert (await post("/account/signinwithtoken", data=form, allow_redirects=False)).status == 410


async def test_in_a_frame_the_cookie_is_kept_apart(shopper: Shopper) -> None:
    await shopper.change_marketplace(allowed_origins=("https://shop.example",))
    answer = await shopper.get(await shopper.link(), **FRAMED, Referer="https://shop.example/")
    assert answer.status == 302
    assert answer.headers["Location"].startswith(f"{SHOP}?ticket=")
    assert "Partitioned" in answer.headers["Set-Cookie"]
    assert "SameSite=None" in answer.headers["Set-Cookie"]
    assert "Secure" in answer.headers["Set-Cookie"]


async def test_a_frame_of_a_stranger_is_told_who_it_is(shopper: Shopper) -> None:
    await shopper.change_marketplace(allowed_origins=("https://shop.example",))
    link = await shopper.link()
    answer = await shopper.get(link, **FRAMED, Referer="https://evil.example/")
    assert (answer.status, "Set-Cookie" in answer.headers) == (403, False)
    assert "https://evil.example" in await answer.text()
    assert answer.headers["Content-Security-Policy"].endswith("frame-ancestors https://evil.example")
    assert (await shopper.get(link)).status == 302


@pytest.mark.parametrize("referer", ["https://evil.example;script-src *", "javascript:x", "https://x y/", "null"])
async def test_a_stranger_cannot_write_the_policy(shopper: Shopper, referer: str) -> None:
    answer = await shopper.get(await shopper.link(), **FRAMED, Referer=referer)
    assert "script-src *" not in answer.headers.get("Content-Security-Policy", "")
    assert answer.status == 302


async def test_where_a_frame_keeps_nothing_a_window_does(shopper: Shopper) -> None:
    answer = await shopper.get(await shopper.link(), **FRAMED)
    shopper.api.http.session.cookie_jar.clear()
    page = await shopper.look(answer.headers["Location"], 401, **FRAMED)
    assert "Open in a window" in page
    way = page.partition('href="/account/handover')[2].partition('"')[0].replace("&amp;", "&")
    window = f"/account/handover{way}"
    assert (await shopper.api.http.head(window)).status == 200
    opened = await asyncio.gather(*(shopper.get(window) for _ in range(5)))
    assert Counter(one.status for one in opened) == {302: 1, 410: 4}
    assert "Apps for Customer X" in await shopper.look()
    assert (await shopper.get("/account/handover?ticket=other")).status == 410


async def test_only_listed_applications_may_frame_the_pages(shopper: Shopper) -> None:
    await shopper.connect()
    assert "frame-ancestors 'none'" in (await shopper.get(SHOP)).headers["Content-Security-Policy"]
    await shopper.change_marketplace(allowed_origins=("https://shop.example", "https://other.example"))
    policy = (await shopper.get(SHOP)).headers["Content-Security-Policy"]
    assert policy.endswith("frame-ancestors https://shop.example https://other.example")


async def test_over_tls_the_cookies_are_this_hosts_alone(start: Start) -> None:
    api = await start()
    await api.services.marketplaces.create(Marketplace(27, "M", 1, 1))
    body = {"Username": "a@example.com", "Password": "p", "AccountName": "A", "MarketplaceId": 27}
    made = await api.json("POST", "/v1.0/users/marketplace", 200, json=body)
    assert made["MarketplaceUrl"].startswith("https://dispatcher.example/account/signinwithtoken?token=")
    path = made["MarketplaceUrl"].removeprefix("https://dispatcher.example")
    answer = await api.http.get(
        path, allow_redirects=False, headers={name.replace("_", "-"): value for name, value in FRAMED.items()}
    )
    assert "__Host-marketplace-frame=" in answer.headers["Set-Cookie"]
    assert "Secure" in answer.headers["Set-Cookie"]
