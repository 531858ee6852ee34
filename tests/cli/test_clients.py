"""`dispatcher clients` on a real store."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from dispatcher.clock import iso_ms
from dispatcher.model.marketplace import Marketplace
from dispatcher.store.installations.parties.marketplaces import MarketplaceStore
from dispatcher.store.redis.connection import connect
from tests.cli.data_folder import folder
from tests.cli.in_process import dispatcher

__all__ = ["folder"]


def test_client_is_created_listed_and_disabled(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], redis_url: str
) -> None:
    monkeypatch.setenv("DISPATCHER_REDIS_URL", redis_url)
    made = dispatcher(
        capsys, "clients", "create", "--scope", "events:write", "--scope", "events:read", "--account", "A"
    ).json()
    assert sorted(made) == ["clientId", "clientSecret"]
    (listed,) = dispatcher(capsys, "clients", "list", "--json").json()
    assert listed["clientId"] == made["clientId"]
    assert (listed["scopes"], listed["accountId"], listed["disabled"]) == (["events:read", "events:write"], "A", False)
    assert listed["createdAt"] == iso_ms(listed["createdOn"])
    table = dispatcher(capsys, "clients", "list").out
    assert made["clientSecret"] not in table
    assert iso_ms(listed["createdOn"])[:10] in table
    assert dispatcher(capsys, "clients", "disable", made["clientId"]).status == 0
    assert dispatcher(capsys, "clients", "list", "--json").json()[0]["disabled"] is True
    assert dispatcher(capsys, "clients", "disable", "nobody").status == 1


def test_a_client_of_a_marketplace_that_there_is_not_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], redis_url: str
) -> None:
    monkeypatch.setenv("DISPATCHER_REDIS_URL", redis_url)
    bound = ("clients", "create", "--role", "host-application", "--marketplace")
    none = dispatcher(capsys, *bound, "1")
    assert (none.status, none.out) == (2, "")
    assert "There is no marketplace 1; there is none yet, POST /v1/marketplaces makes one." in none.err

    async def make_one() -> None:
        async with connect(redis_url, client_name="test") as redis:
            await MarketplaceStore(redis).create(Marketplace(27, "Acme", 1, 1))

    asyncio.run(make_one())
    assert dispatcher(capsys, *bound, "27").status == 0
    other = dispatcher(capsys, *bound, "28")
    assert (other.status, "There is no marketplace 28; those that there are: 27 (Acme)." in other.err) == (2, True)
    assert len(dispatcher(capsys, "clients", "list", "--json").json()) == 1


PUBLIC_KEY = """-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PUBLIC KEY-----
"""


def test_a_client_with_a_public_key_has_no_secret_until_it_is_rotated(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], redis_url: str, tmp_path: Path
) -> None:
    monkeypatch.setenv("DISPATCHER_REDIS_URL", redis_url)
    file = tmp_path / "shop.pub.pem"
    file.write_text(PUBLIC_KEY)
    given = ("--public-key", str(file))
    made = dispatcher(capsys, "clients", "create", "--scope", "events:write", *given).json()
    assert (sorted(made), made["publicKey"]["crv"]) == (["clientId", "publicKey"], "Ed25519")
    rotated = dispatcher(capsys, "clients", "rotate", made["clientId"]).json()
    assert sorted(rotated) == ["clientId", "clientSecret"]
    assert dispatcher(capsys, "clients", "list", "--json").json()[0]["publicKey"] is None
    assert dispatcher(capsys, "clients", "rotate", made["clientId"], *given).json() == made
    assert dispatcher(capsys, "clients", "list", "--json").json()[0]["publicKey"] == made["publicKey"]
    assert dispatcher(capsys, "clients", "rotate", "nobody").status == 1
    file.write_text("-----BEGIN PRIVATE KEY-----")
    refused = dispatcher(capsys, "clients", "rotate", made["clientId"], *given)
    assert refused.status == 2
    assert "private key, which stays with the client" in refused.err


def test_a_change_that_the_next_start_takes_back_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], redis_url: str
) -> None:
    monkeypatch.setenv("DISPATCHER_REDIS_URL", redis_url)
    made = dispatcher(capsys, "clients", "create", "--scope", "events:write").json()
    monkeypatch.setenv("DISPATCHER_ADMIN_CLIENT_SECRET", "s" * 32)
    for kept, warned in (("another", False), (made["clientId"], True)):
        monkeypatch.setenv("DISPATCHER_ADMIN_CLIENT_ID", kept)
        for verb in ("rotate", "disable"):
            said = dispatcher(capsys, "clients", verb, made["clientId"]).err
            assert ("the secret of DISPATCHER_ADMIN_CLIENT_SECRET again" in said) is warned
