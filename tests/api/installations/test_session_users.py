"""Users of sessions: their names, their passwords, and how guessing is stopped."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.api.conftest import Api, Start
from tests.api.installations.embedding import NEW_ACCOUNT, USERNAME, Partner, open_shop, partner_of
from tests.api.installations.session_parts import PATH, everything, installing


@pytest.mark.parametrize("username", ["", "   ", None])
async def test_c6_a_user_name_is_needed(partner: Partner, username: str | None) -> None:
    refused = await partner.session(400, Username=username)
    assert refused["Errors"][0]["Field"] == "Username"


async def test_c6_a_user_of_another_account_is_403(partner: Partner) -> None:
    await partner.session()
    other = await partner.session(AccountName="Customer Y", Username="other@example.com")
    for changed in ({"AccountName": "Customer Y"}, {"AccountId": other["AccountId"], "AccountName": None}):
        refused = await partner.session(403, **changed)
        assert refused["Errors"][0]["Code"] == "user_of_another_account"


async def test_c6_user_names_differ_by_more_than_case(api: Api, partner: Partner) -> None:
    made = await partner.session()
    again = await partner.session(Username=USERNAME.upper())
    assert again["AccountId"] == made["AccountId"]
    assert len(await installing(api).accounts.users_of(made["AccountId"])) == 1


async def test_a_second_user_of_an_account_is_made(api: Api, partner: Partner) -> None:
    made = await partner.session()
    await partner.session(AccountId=made["AccountId"], Username="second@example.com", Password="another", Role="member")
    users = await installing(api).accounts.users_of(made["AccountId"])
    roles = {one.username: one.role.value for one in users}
    assert roles == {USERNAME: "OWNER", "second@example.com": "MEMBER"}


async def test_c7_a_wrong_password_is_401_without_a_session(api: Api, partner: Partner) -> None:
    await partner.session()
    before = await everything(api.redis)
    answer = await partner.ask("POST", PATH, json=NEW_ACCOUNT | {"Password": "wrong"})
    assert answer.status == 401
    assert "WWW-Authenticate" not in answer.headers
    assert (await answer.json())["Errors"][0]["Code"] == "wrong_password"
    assert await everything(api.redis) == before


async def test_c7_passwords_are_kept_as_scrypt_only(api: Api, partner: Partner) -> None:
    secret = "c0mpl3x_P455w0rd-of-this-test"
    made = await partner.session(Password=secret)
    (user,) = await installing(api).accounts.users_of(made["AccountId"])
    assert re.fullmatch(r"scrypt\$16384\$8\$1\$[^$]+\$[^$]+", user.password_hash)
    assert secret.encode() not in b"".join((await everything(api.redis)).values())


@pytest.mark.parametrize("password", ["", None, "x" * 1025, "ü" * 513, 5])
async def test_a_password_is_not_empty_and_has_1_kib_at_most(partner: Partner, password: Any) -> None:
    refused = await partner.session(400, Password=password)
    assert refused["Errors"][0]["Field"] == "Password"


async def test_guessing_passwords_is_stopped_for_that_user(start: Start) -> None:
    api = await start(password_failures=3)
    await open_shop(api, productIds=[])
    partner, other = await partner_of(api, 27), await partner_of(api, 27)
    await partner.session()
    for _ in range(3):
        await partner.session(401, Password="wrong")
    answer = await partner.ask("POST", PATH, json=NEW_ACCOUNT)
    assert (answer.status, "Retry-After" in answer.headers) == (429, True)
    await partner.session(429, Username=USERNAME.upper())
    await partner.session(Username="second@example.com", AccountName="Customer Y")
    await other.session()
