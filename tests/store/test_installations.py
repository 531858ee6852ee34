"""Installations in the store: records that do not repeat their template, indexes that are never scanned."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest
from redis.asyncio import Redis

from dispatcher.errors import Unprocessable
from dispatcher.ids import new_installation_id
from dispatcher.model.installation import Installation, InstallStep, Purchase
from dispatcher.model.integration import Revision
from dispatcher.store.definitions.records import BrokenDefinition
from dispatcher.store.installations.installed.installations import InstallationStore, Stored, Written
from dispatcher.store.keys import definitions as definition_keys
from dispatcher.store.keys import installations as installation_keys

STEPS = (
    InstallStep("One", installer_function="check1", connection_id="c1", unknown={"colour": "red"}),
    InstallStep("Two", installer_function="check2"),
)


async def find(integration_id: str, number: int) -> Revision | None:
    return Revision(number, install_template=STEPS) if number == 1 else None


def made(**changes: object) -> Installation:
    one = Installation(new_installation_id(1), "A", "n", 1, 1, connector_id="c", integration_id="I", revision=1)
    return replace(one, **({"install": STEPS} | changes))  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
async def integrations(redis: Redis) -> None:
    """The installation has to be there."""
    for integration_id in ("I", "I0", "I1"):
        await redis.set(definition_keys.definition(integration_id), b"{}")


async def written(redis: Redis, one: Installation) -> Stored:
    store = InstallationStore(redis, find)
    assert await store.write([Written(None, one)], 1)
    found = await store.find(one.id)
    assert found is not None
    return found


@pytest.mark.parametrize(
    "steps",
    [
        STEPS,
        tuple(replace(step, completed=True) for step in STEPS),
        (replace(STEPS[0], connection_id=None), replace(STEPS[1], connection_id="mine:with:colons")),
    ],
)
async def test_steps_of_the_template_come_back_and_are_not_repeated(
    redis: Redis, steps: tuple[InstallStep, ...]
) -> None:
    one = made(install=steps)
    found = await written(redis, one)
    assert found.installation == one
    assert "install" not in orjson.loads(found.record)
    assert b"check1" not in found.record


@pytest.mark.parametrize(
    "changes",
    [
        {"install": (replace(STEPS[0], name="Other"), STEPS[1])},
        {"install": STEPS[:1]},
        {"install": (*STEPS, STEPS[0])},
        {"revision": None},
        {"revision": 2},
        {"integration_id": None, "revision": None},
        {"install": ()},
    ],
)
async def test_any_other_steps_are_kept_as_they_are(redis: Redis, changes: dict[str, object]) -> None:
    one = made(**changes)
    assert (await written(redis, one)).installation == one


async def test_an_installation_whose_revision_is_gone_says_so(redis: Redis) -> None:
    one = made()
    await written(redis, one)

    async def nothing(integration_id: str, number: int) -> Revision | None:
        return None

    with pytest.raises(BrokenDefinition, match="revision 1"):
        await InstallationStore(redis, nothing).find(one.id)


async def test_four_steps_take_less_than_two_kilobytes_with_every_index(redis: Redis) -> None:
    steps = tuple(replace(STEPS[0], name=f"Step {n}", description="Configure credentials") for n in range(4))

    async def of_four(integration_id: str, number: int) -> Revision | None:
        return Revision(number, install_template=steps)

    store, before = InstallationStore(redis, of_four), await used_bytes(redis)
    for at in range(0, 1000, 100):
        batch = [
            made(
                id=new_installation_id(at),
                account_id=f"account-{at + n}",
                install=steps,
                marketplace_id=27,
                exclusive=True,
                product_id="product-1",
                settings={"sections": [{"title": "General", "fields": [{"name": "region", "value": "eu"}]}]},
                purchase=Purchase("BASIC", 25, {"domain": "customer.example"}),
                account_identifier=f"customer-{n}",
            )
            for n in range(100)
        ]
        assert await store.write([Written(None, one) for one in batch], 1)
    assert (await used_bytes(redis) - before) / 1000 < 2048


async def used_bytes(redis: Redis) -> int:
    return int((await redis.info("memory"))["used_memory"])


async def test_every_trace_of_a_removed_one_is_gone(redis: Redis) -> None:
    before = {*await redis.keys("*"), installation_keys.NEWEST.encode()}
    one = made(marketplace_id=27, exclusive=True, product_id="P", locked_ms=5, pending_event_id="e")
    found = await written(redis, one)
    store = InstallationStore(redis, find)
    assert await store.exclusive("A", "P") == one.id
    assert await redis.zscore(installation_keys.UPDATES, one.id) == 5
    assert await redis.zscore(installation_keys.PENDING, one.id) is not None
    assert await store.write([Written(found, None)], 2)
    assert set(await redis.keys("*")) == before


async def test_of_an_integration_that_is_gone_nothing_is_installed(redis: Redis) -> None:
    before = set(await redis.keys("*"))
    with pytest.raises(Unprocessable, match="deleted"):
        await written(redis, made(integration_id="gone"))
    assert set(await redis.keys("*")) == before


async def test_a_write_behind_somebody_else_changes_nothing(redis: Redis) -> None:
    found = await written(redis, made())
    store = InstallationStore(redis, find)
    assert await store.write([Written(found, replace(found.installation, name="first"))], 2)
    assert not await store.write([Written(found, replace(found.installation, name="second"))], 3)
    now = await store.find(found.installation.id)
    assert now is not None
    assert now.installation.name == "first"


async def test_pages_of_several_indexes_are_one_list_by_age(redis: Redis) -> None:
    store, ids = InstallationStore(redis, find), []
    for n in range(6):
        one = made(id=new_installation_id(n * 1000), integration_id=f"I{n % 2}", revision=None)
        ids.append(one.id)
        assert await store.write([Written(None, one)], 1)
    indexes = [
        installation_keys.installations_of_integration("I0"),
        installation_keys.installations_of_integration("I1"),
    ]
    assert await store.ids(indexes, "", 4) == ids[:4]
    assert await store.ids(indexes, ids[3], 4) == ids[4:]
    assert await store.ids([], "", 4) == []
