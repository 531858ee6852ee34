"""Sessions of the console, and their end: one's own, or everybody's for administrators."""

from __future__ import annotations

import re

from aiohttp import ClientSession, DummyCookieJar

from dispatcher.store.access import console_sessions
from dispatcher.store.access.console_sessions import ConsoleSessionStore, SessionRecord
from tests.api.audit_entries import newest
from tests.api.conftest import ADMIN_ID, ADMIN_SECRET
from tests.api.console.conftest import SIGN_OUT, Visitor

SESSIONS = "/console/sessions"
ROW = re.compile(r"<tr><td.*?</tr>", re.DOTALL)
END = re.compile(rf'action="({SESSIONS}/[^"/]+/end)"')


async def rows(visitor: Visitor) -> list[str]:
    return ROW.findall(await visitor.look(SESSIONS))


async def elsewhere(visitor: Visitor, client_id: str = ADMIN_ID, secret: str = ADMIN_SECRET) -> dict[str, str]:
    """Signs a client in from another browser; its cookie header."""
    await visitor.sign_in(client_id, secret)
    cookies = "; ".join(f"{one.key}={one.value}" for one in visitor.api.http.session.cookie_jar)
    visitor.api.http.session.cookie_jar.clear()
    return {"Cookie": cookies}


async def is_let_in(visitor: Visitor, cookie: dict[str, str]) -> bool:
    """Asked from a browser that has no other cookie."""
    async with (
        ClientSession(cookie_jar=DummyCookieJar()) as browser,
        browser.get(f"{visitor.origin}{SESSIONS}", headers=cookie, allow_redirects=False) as answer,
    ):
        return answer.status == 200


async def test_everybody_sees_own_sessions_and_ends_them_one_by_one(visitor: Visitor) -> None:
    client, secret = await visitor.api.services.clients.create(frozenset({"ops:read"}), "phone", None, 0)
    await elsewhere(visitor)
    cookie = await elsewhere(visitor, client.client_id, secret)
    await visitor.sign_in(client.client_id, secret)
    shown = await rows(visitor)
    assert len(shown) == 2
    assert all(client.client_id in row and "127.0.0.1" in row for row in shown)
    assert sum("this one" in row for row in shown) == 1
    (path,) = END.findall("".join(shown))
    answer = await visitor.act(SESSIONS, path)
    assert (answer.status, answer.headers["Location"]) == (303, f"{SESSIONS}?said=session-ended")
    assert not await is_let_in(visitor, cookie)
    assert len(await rows(visitor)) == 1


async def test_nobody_ends_the_session_of_somebody_else_but_an_administrator(visitor: Visitor) -> None:
    other = await elsewhere(visitor)
    (session,) = await ConsoleSessionStore(visitor.api.redis).all()
    client, secret = await visitor.api.services.clients.create(frozenset({"ops:read"}), "", None, 0)
    own = await elsewhere(visitor, client.client_id, secret)
    await visitor.sign_in(client.client_id, secret)
    assert (await visitor.act(SESSIONS, f"{SESSIONS}/{session.id}/end")).status == 404
    answer = await visitor.act(SESSIONS, f"{SESSIONS}/end-others", {"everybody": "true"})
    assert answer.status == 303
    assert (await is_let_in(visitor, other), await is_let_in(visitor, own)) == (True, False)
    visitor.api.http.session.cookie_jar.clear()
    await visitor.sign_in()
    assert (await visitor.act(SESSIONS, f"{SESSIONS}/{session.id}/end")).status == 303
    assert not await is_let_in(visitor, other)
    entry = await newest(visitor.api)
    assert (entry["action"], entry["objectId"], entry["after"]) == ("endConsoleSessions", ADMIN_ID, {"sessions": 1})


async def test_all_others_end_and_this_one_goes_on(visitor: Visitor) -> None:
    mine = await elsewhere(visitor)
    client, secret = await visitor.api.services.clients.create(frozenset({"ops:read"}), "", None, 0)
    await visitor.sign_in(client.client_id, secret)
    visitor.api.http.session.cookie_jar.clear()
    await visitor.sign_in()
    await visitor.act(SESSIONS, f"{SESSIONS}/end-others")
    assert not await is_let_in(visitor, mine)
    assert len(await rows(visitor)) == 2
    await visitor.act(SESSIONS, f"{SESSIONS}/end-others", {"everybody": "true"})
    (left,) = await rows(visitor)
    assert "this one" in left


async def test_last_used_is_noted_once_in_a_while_and_from_where(visitor: Visitor) -> None:
    await visitor.sign_in()
    visitor.api.clock.now_s += 600
    await visitor.api.http.get("/console", headers={"User-Agent": "Fox/1 " + "x" * 400})
    (row,) = await rows(visitor)
    assert ("10 min ago" in row, "0 s ago" in row) == (True, True)
    (kept,) = await ConsoleSessionStore(visitor.api.redis).all()
    assert (kept.seen_s - kept.since_s, kept.agent[:7], len(kept.agent)) == (600, "Fox/1 x", 200)


async def test_sessions_that_ended_otherwise_are_not_listed(visitor: Visitor) -> None:
    client, secret = await visitor.api.services.clients.create(frozenset({"ops:read"}), "", None, 0)
    await visitor.sign_in(client.client_id, secret)
    await visitor.api.services.clients.rotate(client.client_id)
    visitor.api.http.session.cookie_jar.clear()
    await visitor.sign_in()
    assert len(await rows(visitor)) == 1
    await visitor.send(SIGN_OUT, {})
    visitor.api.clock.now_s += 4000
    await visitor.sign_in()
    assert len(await ConsoleSessionStore(visitor.api.redis).all()) == 1


async def test_with_too_many_those_used_longest_ago_are_ended(visitor: Visitor) -> None:
    store, now_s = ConsoleSessionStore(visitor.api.redis), int(visitor.api.clock.now_s)
    for n in range(console_sessions.MOST + 1):
        await store.note(
            SessionRecord(id=f"s{n}", client_id="x", stamp="x", since_s=now_s - 900, seen_s=now_s - 900 + n % 900)
        )
    assert (await visitor.sign_in()).status == 303
    ids = {one.id for one in await store.all()}
    assert len(ids) == console_sessions.MOST + 1
    assert len({"s0", "s900"} - ids) == 1
