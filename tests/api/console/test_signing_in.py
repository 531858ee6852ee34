"""Entrance to the console: for whom, for how long, and that no other site can do it for them."""

from __future__ import annotations

from dataclasses import replace
from http.cookies import SimpleCookie

import orjson
import pytest
from aiohttp import encode_basic_auth

from dispatcher.pages.session import RENEWED_AFTER_S
from tests.api.conftest import ADMIN_ID, ADMIN_SECRET, Start
from tests.api.console.conftest import SIGN_IN, SIGN_OUT, Visitor

PAGES = ["/console", "/console?said=paused", "/console/events", "/console/events/x"]
OUT = f"{SIGN_IN}?next="
COOKIE = "console-8080"
IDLE_S, LIFETIME_S = 3600, 12 * 3600
GOOD = {"client_id": ADMIN_ID, "client_secret": ADMIN_SECRET}


@pytest.mark.parametrize("path", [*PAGES, "/console/events?status=DEAD&accountId=A%26B"])
async def test_whoever_is_not_signed_in_is_sent_there_and_back(visitor: Visitor, path: str) -> None:
    asked = await visitor.sent_to(path)
    assert asked.startswith(OUT)
    form = await visitor.look(asked)
    assert "Client secret" in form
    wanted = form.partition('name="next" value="')[2].partition('"')[0].replace("&amp;", "&")
    answer = await visitor.sign_in(next=wanted)
    assert (answer.status, answer.headers["Location"]) == (303, path)


ELSEWHERE = [
    *("https://evil.example", "//evil.example", "/console\\evil.example", "/\\evil.example", "/consolation", "console"),
    *("/console/../launch/products/P", "/console/%2e%2e/docs", "/console/./sign-in", "/console/%73ign-in", SIGN_OUT),
    *("/console\r\nX: y", "javascript:alert(1)", "/v1/events", SIGN_IN, f"{SIGN_IN}?next=/console", "/console<b>", ""),
]


@pytest.mark.parametrize("wanted", ELSEWHERE)
async def test_signing_in_never_leads_out_of_the_console(visitor: Visitor, wanted: str) -> None:
    answer = await visitor.sign_in(next=wanted)
    assert (answer.status, answer.headers["Location"]) == (303, "/console")


async def test_wrong_credentials_show_the_form_again_and_keep_the_id(visitor: Visitor) -> None:
    for client_id, secret in ((ADMIN_ID, "wrong"), ("nobody", ADMIN_SECRET), (ADMIN_ID, "")):
        answer = await visitor.sign_in(client_id, secret)
        text = await answer.text()
        assert (answer.status, "Set-Cookie" in answer.headers) == (401, False)
        assert "Unknown client, wrong secret" in text
        assert f'value="{client_id}"' in text
        assert ADMIN_SECRET not in text
    assert (await visitor.sent_to("/console")).startswith(OUT)


async def test_clients_that_may_read_nothing_are_not_let_in(visitor: Visitor) -> None:
    client, secret = await visitor.api.services.clients.create(frozenset({"events:write"}), "backend", None, 0)
    assert (await visitor.sign_in(client.client_id, secret)).status == 401
    client, secret = await visitor.api.services.clients.create(frozenset({"ops:read"}), "gone", None, 0)
    await visitor.api.services.clients.disable(client.client_id)
    assert (await visitor.sign_in(client.client_id, secret)).status == 401


async def test_guessing_is_stopped(start: Start) -> None:
    api = await start(auth_failures=3, public_base_url="http://dispatcher.example")
    origin = {"Origin": f"http://127.0.0.1:{api.http.port}"}
    form = {"client_id": ADMIN_ID, "client_secret": "wrong"}
    statuses = [(await api.http.post(SIGN_IN, data=form, headers=origin)).status for _ in range(5)]
    assert statuses == [401, 401, 401, 429, 429]
    answer = await api.http.post(SIGN_IN, data=GOOD, headers=origin, allow_redirects=False)
    assert answer.status == 429
    assert int(answer.headers["Retry-After"]) >= 1
    assert answer.content_type == "text/html"


FOREIGN = {
    "no origin": {},
    "another site": {"Origin": "https://evil.example"},
    "a site that hides": {"Origin": "null"},
    "another port": {"Origin": "http://127.0.0.1:1"},
    "a name that ends alike": {"Origin": "http://evil-dispatcher.example"},
    "the browser knows better": {"Origin": "http://dispatcher.example", "Sec-Fetch-Site": "cross-site"},
    "no URL": {"Origin": "http://["},
    "another scheme": {"Origin": "ftp://dispatcher.example"},
    "a path behind it": {"Origin": "http://dispatcher.example/x"},
    "a sibling": {"Origin": "http://dispatcher.example", "Sec-Fetch-Site": "same-site"},
}


@pytest.mark.parametrize("name", FOREIGN)
@pytest.mark.parametrize("path", [SIGN_IN, SIGN_OUT])
async def test_bi53_forms_of_other_sites_are_refused(operator: Visitor, path: str, name: str) -> None:
    answer = await operator.send(path, GOOD, FOREIGN[name])
    assert (answer.status, answer.content_type, "Set-Cookie" in answer.headers) == (403, "text/html", False)
    await operator.look("/console")


async def test_forms_may_come_from_the_public_address(visitor: Visitor) -> None:
    assert (await visitor.send(SIGN_IN, GOOD, {"Origin": "http://dispatcher.example"})).status == 303


async def test_with_tls_nobody_signs_in_without_and_is_told_where(start: Start) -> None:
    api = await start(public_base_url="https://d.example")
    origin = {"Origin": f"http://127.0.0.1:{api.http.port}"}
    answer = await api.http.post(SIGN_IN, data=GOOD, headers=origin, allow_redirects=False)
    assert answer.status == 403
    assert "Open https://d.example/console" in await answer.text()


async def test_what_a_proxy_asks_for_in_a_header_is_the_proxys(visitor: Visitor) -> None:
    for header in (encode_basic_auth("proxy", "password"), "Negotiate abc"):
        answer = await visitor.send(SIGN_IN, GOOD, {"Origin": visitor.origin, "Authorization": header})
        assert answer.status == 303


async def test_whoever_would_see_nothing_is_not_let_in(visitor: Visitor) -> None:
    client, secret = await visitor.api.services.clients.create(frozenset({"ops:read"}), "bound", "A-1", 0)
    assert (await visitor.sign_in(client.client_id, secret)).status == 401


async def test_signing_in_again_ends_the_session_before(operator: Visitor) -> None:
    copied = {"Cookie": f"{COOKIE}={_cookie(operator)}"}
    assert (await operator.sign_in()).status == 303
    operator.api.http.session.cookie_jar.clear()
    assert (await operator.api.http.get("/console", headers=copied, allow_redirects=False)).status == 303


async def test_a_long_way_is_not_remembered(visitor: Visitor) -> None:
    assert await visitor.sent_to(f"/console/events?accountId={'%C3%A9' * 900}") == SIGN_IN


@pytest.mark.parametrize(("public", "name"), [("http://a.example", COOKIE), ("https://a.example", "__Host-console")])
async def test_the_cookie_is_out_of_reach_of_scripts_and_sites(start: Start, public: str, name: str) -> None:
    api = await start(public_base_url=public)
    answer = await api.http.post(SIGN_IN, data=GOOD, headers={"Origin": public}, allow_redirects=False)
    cookies = SimpleCookie(answer.headers["Set-Cookie"])
    assert list(cookies) == [name]
    kept = cookies[name]
    assert (kept["httponly"], kept["samesite"], kept["path"], kept["domain"]) == (True, "Lax", "/", "")
    assert bool(kept["secure"]) is public.startswith("https")
    assert ADMIN_SECRET not in answer.headers["Set-Cookie"]


async def test_a_session_ends_when_nobody_looks_and_goes_on_when_somebody_does(operator: Visitor) -> None:
    clock = operator.api.clock
    for _ in range(3):
        clock.now_s += IDLE_S - 1
        await operator.look("/console")
    clock.now_s += IDLE_S
    assert (await operator.sent_to("/console")).startswith(OUT)


async def test_no_session_lasts_longer_than_its_lifetime(operator: Visitor) -> None:
    clock, begun_s = operator.api.clock, operator.api.clock.now_s
    while clock.now_s + IDLE_S / 2 < begun_s + LIFETIME_S:
        clock.now_s += IDLE_S / 2
        await operator.look("/console")
    clock.now_s = begun_s + LIFETIME_S
    assert (await operator.sent_to("/console")).startswith(OUT)


async def test_the_cookie_is_renewed_once_in_a_while_only(operator: Visitor) -> None:
    answer = await operator.api.http.get("/console")
    assert "Set-Cookie" not in answer.headers
    operator.api.clock.now_s += RENEWED_AFTER_S + 1
    assert "Set-Cookie" in (await operator.api.http.get("/console")).headers


async def test_signing_out_ends_the_session_also_where_its_cookie_was_copied(operator: Visitor) -> None:
    copied = {"Cookie": f"{COOKIE}={_cookie(operator)}"}
    answer = await operator.send(SIGN_OUT, {})
    assert (answer.status, answer.headers["Location"]) == (303, SIGN_IN)
    assert (await operator.sent_to("/console")).startswith(OUT)
    again = await operator.api.http.get("/console", headers=copied, allow_redirects=False)
    assert again.status == 303


async def test_rotating_or_disabling_the_client_ends_its_sessions(visitor: Visitor) -> None:
    clients = visitor.api.services.clients
    for end in (clients.rotate, clients.disable):
        client_id = await visitor.sign_in_as_new("ops:read")
        await visitor.look("/console")
        await end(client_id)
        assert (await visitor.sent_to("/console")).startswith(OUT)


async def test_cookies_that_were_not_given_out_are_worth_nothing(visitor: Visitor) -> None:
    sealer, now_s = visitor.api.services.sealer, int(visitor.api.clock.now_s)
    session = {"id": "x", "client_id": ADMIN_ID, "stamp": "x", "since_s": now_s, "seen_s": now_s}
    forged = [
        *("", "x", "v1.x.y", "x" * 5000, sealer.seal("{}", "console:session"), sealer.seal("[1]", "console:session")),
        *(sealer.seal(orjson.dumps(session).decode(), context) for context in ("console:session", "other")),
    ]
    for cookie in forged:
        answer = await visitor.api.http.get("/console", headers={"Cookie": f"{COOKIE}={cookie}"}, allow_redirects=False)
        assert answer.status == 303, cookie


def _cookie(visitor: Visitor) -> str:
    return next(one.value for one in visitor.api.http.session.cookie_jar if one.key == COOKIE)


async def test_a_page_is_shown_to_those_who_may_see_it_now(visitor: Visitor) -> None:
    clients = visitor.api.services.clients
    client, secret = await clients.create(frozenset({"events:read", "ops:read"}), "", None, 0)
    await visitor.sign_in(client.client_id, secret)
    await visitor.look("/console/events")
    await clients.put(replace(client, scopes=frozenset({"ops:read"})))
    await visitor.look("/console/events", 403)
    await visitor.look("/console")
