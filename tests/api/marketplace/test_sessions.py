"""Sessions: of whom, for how long, and that a form is taken only from whoever opened it."""

from __future__ import annotations

import pytest

from dispatcher.model.account import Account, User, UserRole
from dispatcher.model.installation import Standing
from dispatcher.store.installations.parties.accounts import put_account, put_user
from dispatcher.store.installations.writing.editing import Transaction, transacted
from tests.api.marketplace.conftest import ACCOUNT, COLLEAGUE, LEDGER, PASSWORD, SHOP, USER, Shopper

ORDER = f"/products/{LEDGER}"
SIGN_IN, SIGN_OUT = "/account/signin", "/account/signout"


async def sign_in(shopper: Shopper, username: str = "user@example.com", password: str = PASSWORD) -> int:
    answer = await shopper.api.http.post(
        SIGN_IN,
        data={"username": username, "password": password, "marketplace": "27"},
        headers={"Origin": shopper.origin},
        allow_redirects=False,
    )
    return answer.status


async def test_nobody_is_let_in_without_a_session(shopper: Shopper) -> None:
    for path in ("", "/history", ORDER, "/installations/x", "/installations/x/live"):
        assert "You are not signed in" in await shopper.look(path, 401)
    answer = await shopper.api.http.post(f"{SHOP}{ORDER}", headers={"Origin": shopper.origin})
    assert answer.status == 401


async def test_a_session_is_of_one_marketplace(shopper: Shopper) -> None:
    await shopper.connect()
    for other in ("/launch/marketplace/28", "/launch/marketplace/x", "/launch/marketplace/99999999999"):
        assert (await shopper.get(other)).status == 401


async def test_it_ends_when_nobody_looks_and_in_any_case(shopper: Shopper) -> None:
    clock = shopper.api.clock
    await shopper.connect()
    for _ in range(3):
        clock.now_s += 3599
        await shopper.look()
    clock.now_s += 3600
    await shopper.look(status=401)
    await shopper.connect()
    begun_s = clock.now_s
    while clock.now_s < begun_s + 12 * 3600 - 1800:
        clock.now_s += 1800
        await shopper.look()
    clock.now_s = begun_s + 12 * 3600
    await shopper.look(status=401)


async def test_ending_the_accounts_sessions_ends_it(shopper: Shopper) -> None:
    await shopper.connect()
    unopened = await shopper.link()
    await shopper.installing.accounts.end_sessions(ACCOUNT)
    await shopper.look(status=401)
    await shopper.look(unopened, 410)


async def test_signing_out_ends_it_also_where_its_cookie_was_copied(shopper: Shopper) -> None:
    await shopper.connect()
    jar = shopper.api.http.session.cookie_jar
    copied = "; ".join(f"{one.key}={one.value}" for one in jar)
    form = {"form": await shopper.token("")}
    answer = await shopper.api.http.post(SIGN_OUT, data=form, headers={"Origin": shopper.origin})
    assert (answer.status, "You are signed out" in await answer.text()) == (200, True)
    await shopper.look(status=401)
    jar.clear()
    await shopper.look(status=401, Cookie=copied)


async def test_people_sign_in_with_their_password(shopper: Shopper) -> None:
    assert "User name" in await shopper.look(SIGN_IN)
    assert await sign_in(shopper, password="wrong") == 401
    assert await sign_in(shopper, "nobody@example.com") == 401
    assert await sign_in(shopper, "USER@example.com") == 303
    assert "Apps for Customer X" in await shopper.look()


async def test_what_was_typed_stays_and_the_password_does_not(shopper: Shopper) -> None:
    data = {"username": 'a"><b>@x', "password": "s3cret-typed", "marketplace": "27"}
    answer = await shopper.api.http.post(SIGN_IN, data=data, headers={"Origin": shopper.origin})
    text = await answer.text()
    assert "a&#34;&gt;&lt;b&gt;@x" in text
    assert "s3cret-typed" not in text


async def test_guessing_passwords_is_stopped(shopper: Shopper) -> None:
    statuses = {await sign_in(shopper, password="wrong") for _ in range(40)}
    assert statuses == {401, 429}
    assert await sign_in(shopper) == 429


async def test_a_form_of_another_session_changes_nothing_and_says_whose_it_is(shopper: Shopper) -> None:
    await shopper.connect()
    old = await shopper.token(ORDER)
    other = Account("acct-y", "Customer Y", 1, 27)

    async def work(transaction: Transaction) -> None:
        put_account(transaction, other)
        await put_user(transaction, User("user-y", "yves@example.com", other.id, 1, 27, "", UserRole.OWNER))

    await transacted(shopper.api.redis, work, "other")
    await shopper.connect(account_id=other.id, user_id="user-y")
    first = await shopper.look()
    assert "The session of user@example.com in Customer X has ended" in first
    assert "has ended" not in await shopper.look()
    answer = await shopper.api.http.post(
        f"{SHOP}{ORDER}", data={"form": old}, headers={"Origin": shopper.origin}, allow_redirects=False
    )
    text = await answer.text()
    assert answer.status == 409
    assert "opened by user@example.com in Customer X" in text
    assert "signed in as yves@example.com in Customer Y" in text
    for account in (ACCOUNT, other.id):
        assert (await shopper.api.services.customers.list(account))[0] == []
    out = await shopper.api.http.post(SIGN_OUT, data={"form": old}, headers={"Origin": shopper.origin})
    assert (out.status, "signed in as yves@example.com" in await out.text()) == (409, True)
    assert "Apps for Customer Y" in await shopper.look()


FOREIGN: dict[str, dict[str, str]] = {
    "no origin": {"Origin": ""},
    "another site": {"Origin": "https://evil.example"},
    "hidden": {"Origin": "null"},
    "a sibling": {"Sec-Fetch-Site": "same-site"},
    "cross-site": {"Sec-Fetch-Site": "cross-site"},
}


@pytest.mark.parametrize("name", FOREIGN)
async def test_forms_of_other_sites_are_refused(shopper: Shopper, name: str) -> None:
    await shopper.connect()
    answer = await shopper.send(ORDER, headers=FOREIGN[name])
    assert (answer.status, answer.content_type) == (403, "text/html")
    assert (await shopper.api.services.customers.list(ACCOUNT))[0] == []


@pytest.mark.parametrize("token", ["", "x", "v1.x.y"])
async def test_a_form_needs_its_token(shopper: Shopper, token: str) -> None:
    await shopper.connect()
    answer = await shopper.send(ORDER, {"form": token})
    assert answer.status == 403
    assert "too old or incomplete" in await answer.text()


async def test_members_neither_install_nor_uninstall(shopper: Shopper) -> None:
    await shopper.connect(user_id=COLLEAGUE)
    page = await shopper.look(ORDER)
    assert "Only owners of Customer X can install" in page
    assert "user@example.com" in page
    assert (await shopper.send(ORDER, page="")).status == 403
    installed = await shopper.installed(Standing.INSTALLED)
    app = f"/installations/{installed.id}"
    assert "Uninstall" not in await shopper.look(app)
    assert "Only owners of Customer X can uninstall" in await shopper.look(f"{app}/uninstall")
    for path in ("uninstall", "remove", "roles"):
        assert (await shopper.send(f"{app}/{path}", {"user": USER}, page="")).status == 403


async def test_pages_speak_the_sessions_language_then_the_browsers(shopper: Shopper) -> None:
    await shopper.connect()
    assert "Apps für Customer X" in await shopper.look(Accept_Language="de-AT,en;q=0.5")
    await shopper.connect(language="de")
    page = await shopper.look(Accept_Language="en")
    assert '<html lang="de" dir="ltr">' in page
    assert USER not in page
