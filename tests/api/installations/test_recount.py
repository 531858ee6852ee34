"""Indexes of accounts, users, connectors and installations: recounted, and each damage is named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from redis.asyncio import Redis

from dispatcher.store.installations.recount import recount_installed
from dispatcher.store.keys import installations as keys
from tests.api.conftest import PRODUCT, Api
from tests.api.installations.embedding import open_shop, partner_of
from tests.api.installations.samples import STEPS, install, installable


@dataclass(frozen=True)
class Ids:
    account: str
    user: str
    connector: int
    installation: str
    integration: str


@pytest.fixture
async def ids(api: Api) -> Ids:
    """One of each."""
    integration = await installable(api, PRODUCT, steps=STEPS)
    await open_shop(api)
    partner = await partner_of(api, 27)
    made = await partner.session()
    (connector,) = await partner.connectors(made["AccountId"])
    one = await install(api, {}, _connectorId=integration.connector_id, _accountId=made["AccountId"])
    (user,) = [one.decode() for one in await api.redis.zrange(keys.users_of(made["AccountId"]), 0, -1)]
    return Ids(made["AccountId"], user, connector["Id"], one["_id"], integration.id)


async def test_what_is_well_is_counted(api: Api, ids: Ids) -> None:
    found = await recount_installed(api.redis)
    assert (found.well, dict(found.counts)) == (True, {"accounts": 1, "users": 1, "connectors": 1, "installations": 1})


DAMAGES: dict[str, tuple[Callable[[Ids], tuple[str, str]], str]] = {
    "account": (lambda ids: (keys.account(ids.account), ""), "has no record"),
    "user": (lambda ids: (keys.user(ids.user), ""), "has no record"),
    "username": (lambda ids: (keys.USERNAMES, ""), "is not found by its name"),
    "connector": (lambda ids: (keys.connector(ids.connector), ""), "has no record"),
    "installation": (lambda ids: (keys.installation(ids.installation), ""), "has no record"),
    "its account": (
        lambda ids: (keys.installations_of_account(ids.account), ids.installation),
        "is not listed in its account",
    ),
    "its integration": (
        lambda ids: (keys.installations_of_integration(ids.integration), ids.installation),
        "is not listed in its integration",
    ),
    "drafts": (lambda ids: (keys.DRAFTS, ids.installation), "is not listed in the drafts"),
}


@pytest.mark.parametrize("damage", DAMAGES)
async def test_what_is_damaged_is_named(api: Api, redis: Redis, ids: Ids, damage: str) -> None:
    damaged, wrong = DAMAGES[damage]
    key, member = damaged(ids)
    await (redis.zrem(key, member) if member else redis.delete(key))
    found = await recount_installed(api.redis)
    assert list(found.broken.values()) == [wrong]
    assert not found.well


async def test_links_and_passwords_are_counted(api: Api, ids: Ids) -> None:
    partner = await partner_of(api, 27)
    await partner.session(401, Password="wrong")
    made = await partner.session(AccountId=ids.account)
    link = made["MarketplaceUrl"].partition("/account/")[2]
    for _ in range(2):
        await api.http.get(f"/account/{link}", allow_redirects=False)
    page = await (await api.http.get("/metrics")).text()
    for line in (
        'dispatcher_session_links_total{outcome="issued"} 2.0',
        'dispatcher_session_links_total{outcome="opened"} 1.0',
        'dispatcher_session_links_total{outcome="used"} 1.0',
        'dispatcher_password_looks_total{outcome="wrong"} 1.0',
        'dispatcher_password_looks_total{outcome="right"} 1.0',
        'dispatcher_password_looks_total{outcome="locked_out"} 0.0',
    ):
        assert line in page
