"""Links to a product host's page: who may make one, and that one click opens it, once, for ten minutes."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from http.cookies import SimpleCookie

import pytest

from dispatcher.store.keys import installations as keys
from tests.api.audit_entries import entries
from tests.api.portal.conftest import Host
from tests.api.tenants import bearer

FRAMED = {"Sec-Fetch-Dest": "iframe"}


async def test_a_link_opens_by_one_click_and_once(host: Host) -> None:
    link = await host.link()
    path, _, token = link.partition("#")
    assert re.fullmatch(r"/portal/open/[0-9a-f]{32}", path)
    assert len(token) >= 43
    page = await host.look(path)
    assert "Open your deliveries" in page
    assert "Ledger" not in page
    answer = await host.click(link)
    assert (answer.status, answer.headers["Location"]) == (303, "/portal")
    cookie = next(iter(SimpleCookie(answer.headers["Set-Cookie"]).values()))
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
    assert "Ledger &amp; Sons" in await host.look()
    again = await host.click(link)
    assert again.status == 410
    assert "used already" in await again.text()


async def test_twenty_clicks_at_once_open_it_once(host: Host) -> None:
    link = await host.link()
    answers = await asyncio.gather(*(host.click(link) for _ in range(20)))
    assert Counter(answer.status for answer in answers) == {303: 1, 410: 19}


async def test_looking_at_a_link_uses_nothing_up(host: Host) -> None:
    link = await host.link()
    for method in ("GET", "HEAD", "GET"):
        assert (await host.api.http.request(method, link.partition("#")[0])).status == 200
    assert (await host.click(link)).status == 303


async def test_without_a_script_one_pastes_the_whole_link(host: Host) -> None:
    link = await host.link()
    path = link.partition("#")[0]
    missing = await host.send(path, {"token": " "}, form=False)
    assert (missing.status, "Paste the link" in await missing.text()) == (400, True)
    assert (await host.send(path, {"token": f" http://dispatcher.example{link}\n"}, form=False)).status == 303


async def test_a_link_ends_after_ten_minutes(host: Host) -> None:
    first, second = await host.link(), await host.link()
    host.api.clock.now_s += 599
    assert (await host.click(first)).status == 303
    host.api.clock.now_s += 1
    late = await host.click(second)
    assert (late.status, "has expired" in await late.text()) == (410, True)


@pytest.mark.parametrize("token", ["x", "x" * 5000, "ü", "0" * 43])
async def test_a_wrong_token_opens_nothing_and_uses_nothing_up(host: Host, token: str) -> None:
    link = await host.link()
    path = link.partition("#")[0]
    answer = await host.send(path, {"token": token}, form=False)
    assert (answer.status, "is not known" in await answer.text()) == (410, True)
    assert "Set-Cookie" not in answer.headers
    for unknown in (f"/portal/open/{'0' * 32}", "/portal/open/..", "/portal/open/x"):
        assert (await host.send(unknown, {"token": token}, form=False)).status in (404, 405, 410)
    assert (await host.click(link)).status == 303


async def test_another_links_token_opens_nothing(host: Host) -> None:
    first, second = await host.link(), await host.link()
    crossed = f"{first.partition('#')[0]}#{second.partition('#')[2]}"
    assert (await host.click(crossed)).status == 410
    assert (await host.click(first)).status == 303


@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
async def test_another_site_opens_no_link_for_a_visitor(host: Host, origin: str) -> None:
    link = await host.link()
    assert (await host.click(link, Origin=origin)).status == 403
    assert (await host.click(link)).status == 303


async def test_only_a_hash_of_the_token_is_kept_and_both_ends_are_in_the_audit_log(host: Host) -> None:
    link = await host.link()
    path, _, token = link.partition("#")
    link_id = path.rpartition("/")[2]
    await host.click(link)
    stored = bytes(await host.api.redis.get(keys.portal_link(link_id)))
    assert token.encode() not in stored
    assert 0 < await host.api.redis.pttl(keys.portal_link(link_id)) <= 86_400_000
    opened, made = (await entries(host.api))[:2]
    assert [one["action"] for one in (made, opened)] == ["createPortalLink", "openPortalLink"]
    assert [one["objectId"] for one in (made, opened)] == [link_id, link_id]
    assert (made["clientId"], opened["clientId"]) == ("admin", f"portal:{link_id}")
    assert token not in str([made, opened])
    assert made["after"]["integration_id"] == host.integration.id


@pytest.mark.parametrize(
    ("scopes", "bound", "status"),
    [
        (("portal:create",), {}, 201),
        (("integrations:write",), {"vendor_id": "acme"}, 201),
        (("tenants:admin",), {}, 201),
        (("integrations:write",), {"vendor_id": "rival"}, 404),
        (("portal:create",), {"vendor_id": "rival"}, 404),
        (("portal:create", "events:read"), {"account_id": "A-1"}, 403),
        (("portal:create", "marketplace:partner"), {"marketplaces": (27,)}, 403),
        (("integrations:read", "events:read"), {}, 403),
    ],
)
async def test_who_may_make_and_end_links(host: Host, scopes: tuple[str, ...], bound: dict, status: int) -> None:  # type: ignore[type-arg]
    headers = await bearer(host.api, *scopes, **bound)
    path = f"/v1/definitions/{host.integration.id}/portal-links"
    made = await host.api.http.post(path, headers=headers)
    assert made.status == status, await made.text()
    ended = await host.api.http.delete(path, headers=headers)
    assert ended.status == (204 if status == 201 else status)


async def test_ending_links_ends_those_that_are_open_and_those_that_are_not(host: Host) -> None:
    await host.enter()
    unopened = await host.link()
    host.api.clock.now_s += 1
    path = f"/v1/definitions/{host.integration.id}/portal-links"
    assert (await host.api.ask("DELETE", path)).status == 204
    assert "Nothing is open here" in await host.look(status=401)
    assert (await host.click(unopened)).status == 410
    host.api.clock.now_s += 1
    await host.enter()
    assert "Ledger" in await host.look()
    assert [one["action"] for one in await entries(host.api, action="endPortalLinks")] == ["endPortalLinks"]


async def test_only_listed_sites_may_show_it_in_a_frame(host: Host) -> None:
    await host.enter()
    plain = await host.api.http.get("/portal")
    assert "frame-ancestors 'none'" in plain.headers["Content-Security-Policy"]
    link = await host.link({"framedBy": ["https://vendor.example", "https://vendor.example"]})
    form = await host.api.http.get(link.partition("#")[0], headers=FRAMED)
    assert form.headers["Content-Security-Policy"].endswith("frame-ancestors https://vendor.example")
    opened = await host.click(link, **FRAMED)
    cookie = opened.headers["Set-Cookie"]
    assert opened.status == 303
    assert "SameSite=None; Partitioned; Secure" in cookie
    name, _, value = cookie.partition(";")[0].partition("=")
    shown = await host.api.http.get("/portal", headers=FRAMED | {"Cookie": f"{name}={value}"})
    assert shown.headers["Content-Security-Policy"].endswith("frame-ancestors https://vendor.example")
    assert "Ledger" in await shown.text()


@pytest.mark.parametrize(
    "origin", ["https://Vendor.example", "https://vendor.example/", "ftp://vendor.example", "'self'"]
)
async def test_an_origin_that_is_none_is_refused(host: Host, origin: str) -> None:
    body = {"framedBy": ["https://fine.example", origin]}
    path = f"/v1/definitions/{host.integration.id}/portal-links"
    await host.api.refused("POST", path, 422, "invalid_value", "framedBy.1", json=body)
