"""One-time links: how long they live, that they open once, and what is kept of them."""

from __future__ import annotations

import asyncio
import base64
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from dispatcher.store.installations.parties.sessions import Opening
from tests.api.conftest import Api, Start
from tests.api.installations.embedding import Partner, open_shop, partner_of
from tests.api.installations.session_parts import everything, installing


@pytest.mark.parametrize(("given", "inline"), [(None, True), (True, True), (False, False)])
async def test_c15_connectors_authorize_inline_unless_told_otherwise(
    api: Api, partner: Partner, given: Any, inline: bool
) -> None:
    made = await partner.session(InlineOAuth=given)
    opened = await installing(api).links.open(made["Token"], api.services.now_ms())
    assert opened.session is not None
    assert opened.session.inline_oauth is inline


async def test_c17_a_link_lives_five_minutes(api: Api, partner: Partner) -> None:
    made = await partner.session()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", made["ExpiresAtUtc"])
    links, now_ms = installing(api).links, api.services.now_ms()
    assert (await links.look(made["Token"], now_ms + 299_999)).outcome is Opening.OPENED
    assert (await links.open(made["Token"], now_ms + 300_000)).outcome is Opening.EXPIRED


async def test_c18_c24_the_link_starts_with_the_deployments_own_address(start: Start) -> None:
    api = await start(public_base_url="https://m.example")
    await open_shop(api, productIds=[])
    made = await (await partner_of(api, 27)).session()
    link = urlsplit(made["MarketplaceUrl"])
    assert (link.scheme, link.netloc, link.path) == ("https", "m.example", "/account/signinwithtoken")
    query = parse_qs(link.query, strict_parsing=True)
    assert query == {"token": [made["Token"]], "returnUrl": ["https://m.example/launch/marketplace/27"]}


async def test_c19_only_a_hash_of_the_token_is_kept(api: Api, partner: Partner) -> None:
    made = await partner.session()
    assert len(base64.b64decode(made["Token"], validate=True)) == 32
    for key in [one async for one in api.redis.scan_iter("*")]:
        assert made["Token"].encode() not in key
    assert made["Token"].encode() not in b"".join((await everything(api.redis)).values())
    log = await api.json("GET", "/v1/audit", 200)
    assert made["Token"] not in str(log)


async def test_c20_a_link_opens_once_however_many_ask_at_once(api: Api, partner: Partner) -> None:
    made = await partner.session()
    links, now_ms = installing(api).links, api.services.now_ms()
    outcomes = [one.outcome for one in await asyncio.gather(*(links.open(made["Token"], now_ms) for _ in range(20)))]
    assert sorted(outcomes) == [Opening.OPENED] + [Opening.USED] * 19
    assert (await links.open("unknown", now_ms)).outcome is Opening.UNKNOWN
    assert (await links.open("x" * 10_000, now_ms)).outcome is Opening.UNKNOWN


async def test_looking_at_a_link_does_not_open_it(api: Api, partner: Partner) -> None:
    made = await partner.session(CompleteParameter="order 4711", HostUrl="https://shop.example.com/apps")
    links, now_ms = installing(api).links, api.services.now_ms()
    assert (await links.look(made["Token"], now_ms)).outcome is Opening.OPENED
    opened = await links.open(made["Token"], now_ms)
    assert opened.outcome is Opening.OPENED
    assert opened.session is not None
    assert (opened.session.complete_parameter, opened.session.host_url) == (
        "order 4711",
        "https://shop.example.com/apps",
    )
    used = await links.look(made["Token"], now_ms)
    assert (used.outcome, used.session) == (Opening.USED, opened.session)


async def test_ending_sessions_ends_links_that_were_not_opened(api: Api, partner: Partner) -> None:
    made = await partner.session()
    answer = await partner.ask("DELETE", f"/v1.0/accounts/{made['AccountId']}/sessions")
    assert answer.status == 204
    links, now_ms = installing(api).links, api.services.now_ms()
    assert (await links.open(made["Token"], now_ms)).outcome is Opening.EXPIRED
    later = await partner.session()
    assert (await links.open(later["Token"], now_ms)).outcome is Opening.OPENED
    assert (await partner.ask("DELETE", "/v1.0/accounts/unknown/sessions")).status == 404
