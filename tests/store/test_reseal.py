"""Sealing everything again with the newest key: what it finds, what it leaves, and who else may write meanwhile."""

from __future__ import annotations

import asyncio
from dataclasses import fields, is_dataclass, replace
from typing import Any

import orjson
import pytest
from redis.asyncio import Redis

from dispatcher.flow.integrations.editing.publish import publish
from dispatcher.ids import new_hex24, new_uuid
from dispatcher.model.connector import AccountConnector, ConnectorTemplate, OAuthApplication
from dispatcher.model.integration import (
    CredentialType,
    Header,
    Integration,
    OutboundCredentials,
    Revision,
    SigningSecret,
    Transport,
)
from dispatcher.model.marketplace import Marketplace
from dispatcher.store.definitions.editing import Definitions
from dispatcher.store.definitions.records import write_integration
from dispatcher.store.definitions.sealed import (
    CREDENTIAL_FIELDS,
    TRANSPORT_FIELDS,
    SealedDefinitions,
    in_integration,
)
from dispatcher.store.health.doctor.examination import examine
from dispatcher.store.health.doctor.findings import Level
from dispatcher.store.installations.writing.records import read, write
from dispatcher.store.keys import definitions as definition_keys
from dispatcher.store.keys import installations as installation_keys
from dispatcher.store.reseal.places import sealed_places
from dispatcher.store.reseal.reseal import Resealer
from dispatcher.store.reseal.stale_count import StaleCount
from dispatcher.store.secrets import fields as sealed_fields
from dispatcher.store.secrets.places import found_in
from dispatcher.store.secrets.sealing import Sealer, SealError, new_key
from dispatcher.store.secrets.signing_keys import SigningKeyStore
from worker.resealing import Resealing

OLD, NEW = new_key(), new_key()
EVERY_VALUE = 6
SEALED_LOOKALIKE = Sealer([new_key()]).seal("x", "written by a customer")


def full_of_secrets(sealer: Sealer) -> Integration:
    """An integration with a sealed value in each place that can hold one."""
    identity = new_uuid()
    credentials: dict[str, Any] = {
        name: sealer.seal(name, context(identity)) for name, context in CREDENTIAL_FIELDS.items()
    }
    transport: dict[str, Any] = {
        name: sealer.seal(name, context(identity)) for name, context in TRANSPORT_FIELDS.items()
    }
    header = Header("X-Key", sealer.seal("value", sealed_fields.header_value(identity, "X-Key")), secret=True)
    working = Revision(
        credentials=OutboundCredentials(CredentialType.OAUTH2, **credentials),
        transport=Transport(**transport),
        headers=(header, Header("X-Plain", "plain")),
    )
    secret = SigningSecret(sealer.seal("whsec_", sealed_fields.signing_secret(identity)), 1)
    return Integration(identity, 0, new_hex24(), "Test", 1, 1, working=working, signing_secrets=(secret,))


async def stored_integration(redis: Redis, key: str = OLD) -> Integration:
    """Published once, so that each value but the signing secret is there twice."""
    definitions = Definitions(redis)
    made = await definitions.create(full_of_secrets(Sealer([key])))
    return await publish(definitions, made.id, "test", 2)


def opened(integration: Integration, sealer: Sealer) -> list[str]:
    texts: list[str] = []

    def note(sealed: str, context: str) -> str:
        texts.append(sealer.open(sealed, context))
        return sealed

    in_integration(integration, note)
    return texts


async def test_every_value_is_sealed_again_and_opens_with_the_newest_key_alone(redis: Redis) -> None:
    made = await stored_integration(redis)
    await SigningKeyStore(redis).offer(Sealer([OLD]).seal("jwk", sealed_fields.ACCESS_TOKEN_KEY))
    tally = await Resealer(redis, Sealer([NEW, OLD])).run()
    assert (tally.values, tally.resealed, tally.stale, tally.problems) == (2 * EVERY_VALUE, 2 * EVERY_VALUE, 0, {})
    after = await Definitions(redis).needed(made.id)
    assert sorted(opened(after, Sealer([NEW]))) == sorted(opened(made, Sealer([OLD])))
    revision = await redis.get(definition_keys.revision(made.id, 1))
    assert len(found_in(revision)) == EVERY_VALUE - 1
    assert not any(Sealer([NEW]).stale(one) for one in found_in(revision))
    sealed = await SigningKeyStore(redis).current()
    assert sealed is not None
    assert Sealer([NEW]).open(sealed, sealed_fields.ACCESS_TOKEN_KEY) == "jwk"
    assert (await Resealer(redis, Sealer([NEW])).run()).resealed == 0


async def stored_installation_room(redis: Redis, sealer: Sealer) -> None:
    """A marketplace, a template, a connector and an installation, with a sealed value wherever there may be one."""

    def seal(context: str) -> str:
        return sealer.seal(f"secret of {context}", context)

    secret = SigningSecret(seal(sealed_fields.marketplace_signing_secret(7)), 1)
    application = OAuthApplication("https://a", "https://t", "c", seal(sealed_fields.template_client_secret(8)))
    connector = AccountConnector(9, "acc", "c", "1", "f" * 24, 1, 1)
    values = {"auth_value": sealed_fields.connector_auth_value, "refresh_token": sealed_fields.connector_refresh_token}
    sealed_values: dict[str, Any] = {name: seal(context(9)) for name, context in values.items()}
    inner = seal(sealed_fields.installation_setting("i"))
    settings = {"sections": [{"type": "password", "name": "p", "value": inner}], "note": SEALED_LOOKALIKE}
    await redis.zadd(installation_keys.MARKETPLACES, {"7": 7})
    await redis.zadd(installation_keys.TEMPLATES, {"8": 8})
    await redis.zadd(installation_keys.INSTALLATIONS, {"i": 0})
    await redis.hset(installation_keys.CONNECTORS_OF, "acc", orjson.dumps([[9, "c", None]]).decode())  # type: ignore[misc]
    await redis.set(installation_keys.marketplace(7), write(Marketplace(7, "m", 1, 1, signing_secrets=(secret,))))
    await redis.set(installation_keys.template(8), write(ConnectorTemplate(8, "t", "1", 1, 1, oauth=application)))
    await redis.set(installation_keys.connector(9), write(replace(connector, **sealed_values)))
    await redis.set(installation_keys.installation("i"), orjson.dumps({"id": "i", "settings": settings}))


async def test_every_room_is_sealed_again_and_told_apart(redis: Redis) -> None:
    await stored_integration(redis)
    await stored_installation_room(redis, Sealer([OLD]))
    tally = await Resealer(redis, Sealer([NEW, OLD])).run()
    assert (tally.stale, tally.problems) == (0, {})
    assert tally.resealed == 2 * EVERY_VALUE - 1 + 5
    assert tally.owners == {
        "integrations": 1,
        "marketplaces": 1,
        "templates": 1,
        "connectors": 1,
        "installations": 1,
        "signing keys": 0,
    }
    assert (tally.seen, tally.total) == (5, 5)
    newest = Sealer([NEW])
    marketplace = read(Marketplace, await redis.get(installation_keys.marketplace(7)))
    context = sealed_fields.marketplace_signing_secret(7)
    assert newest.open(marketplace.signing_secrets[0].secret, context) == f"secret of {context}"
    connector = read(AccountConnector, await redis.get(installation_keys.connector(9)))
    assert connector.refresh_token is not None
    context = sealed_fields.connector_refresh_token(9)
    assert newest.open(connector.refresh_token, context) == f"secret of {context}"
    assert SEALED_LOOKALIKE.encode() in await redis.get(installation_keys.installation("i")), (
        "no secret: it is a customer's text"
    )


async def test_value_of_a_lost_key_is_named_by_its_owner(redis: Redis) -> None:
    await stored_installation_room(redis, Sealer([new_key()]))
    tally = await Resealer(redis, Sealer([NEW, OLD])).run()
    assert list(tally.problems) == ["marketplace:7", "template:8", "connector:9", "installation:i"]
    assert tally.stale == 5


async def test_dry_run_counts_and_changes_nothing(redis: Redis) -> None:
    made = await stored_integration(redis)
    before = await redis.get(definition_keys.definition(made.id))
    tally = await Resealer(redis, Sealer([NEW, OLD]), write=False).run()
    assert (tally.stale, tally.resealed) == (2 * EVERY_VALUE - 1, 0)
    assert await redis.get(definition_keys.definition(made.id)) == before


async def test_values_of_a_lost_key_are_named_and_the_others_sealed_again(redis: Redis) -> None:
    lost = await stored_integration(redis, new_key())
    await stored_integration(redis)
    tally = await Resealer(redis, Sealer([NEW, OLD])).run()
    assert tally.resealed == tally.stale == 2 * EVERY_VALUE - 1
    assert list(tally.problems) == [lost.id]
    assert "DISPATCHER_SECRET_KEYS" in tally.problems[lost.id]


async def test_edit_made_meanwhile_wins_and_is_sealed_again(redis: Redis) -> None:
    made = await stored_integration(redis)
    definitions = Definitions(redis)

    class Edited(Sealer):
        """Another writer is faster once, between reading and writing."""

        edits = 1

    sealer = Edited([NEW, OLD])
    resealer = Resealer(redis, sealer)
    records = [record async for record in SealedDefinitions(redis).records([made.id])]
    await definitions.edit(made.id, lambda one: replace(one, name="Edited"))
    for record in records:
        await resealer.renew(record)
    after = await definitions.needed(made.id)
    assert after.name == "Edited"
    assert not any(sealer.stale(one) for one in found_in(write_integration(after)))


async def test_edit_begun_before_and_saved_after_is_refused_and_brings_no_old_seal_back(redis: Redis) -> None:
    made = await stored_integration(redis)
    definitions = Definitions(redis)
    slow = await definitions.needed(made.id)
    await Resealer(redis, Sealer([NEW, OLD])).run()
    saved = await definitions.edit(made.id, lambda one: replace(one, name="Edited"))
    assert saved.modified_ms > slow.modified_ms + 1
    assert (await Resealer(redis, Sealer([NEW, OLD]), write=False).run()).stale == 0


async def test_fields_of_a_newer_version_are_kept_and_told_of(redis: Redis) -> None:
    made = await stored_integration(redis)
    name = definition_keys.revision(made.id, 1)
    foreign = Sealer([OLD]).seal("?", "a field of the future")
    await redis.set(name, orjson.dumps(orjson.loads(await redis.get(name)) | {"future": {"sealed": foreign}}))
    tally = await Resealer(redis, Sealer([NEW, OLD])).run()
    assert tally.stale == 1
    assert orjson.loads(await redis.get(name))["future"] == {"sealed": foreign}


async def test_damaged_record_stops_no_other(redis: Redis) -> None:
    damaged = await stored_integration(redis)
    await stored_integration(redis)
    sealed = found_in(write_integration(damaged))[0]
    await redis.set(definition_keys.definition(damaged.id), orjson.dumps({"id": damaged.id, "client_secret": sealed}))
    tally = await Resealer(redis, Sealer([NEW, OLD])).run()
    assert damaged.id in tally.problems
    assert tally.resealed >= 2 * EVERY_VALUE - 1


async def test_one_worker_at_a_time_seals_again_and_counts_what_is_left(redis: Redis) -> None:
    await stored_integration(redis)
    stop = asyncio.Event()
    first, second = (Resealing(redis, Sealer([NEW, OLD]), name) for name in ("w1", "w2"))
    assert sorted([await first.once(stop), await second.once(stop)]) == [False, True]
    assert await StaleCount(redis).read() == 0
    assert (await Resealer(redis, Sealer([NEW]), write=False).run()).stale == 0


async def test_doctor_tells_how_many_values_need_an_older_key(redis: Redis) -> None:
    await stored_integration(redis)
    found = {check.name: check for check in await examine(redis, 4, [NEW, OLD])}
    assert found["sealed values"].level is Level.WARN
    assert "11 of 11" in found["sealed values"].text
    alone = {check.name: check for check in await examine(redis, 4, [NEW])}
    assert alone["sealed values"].level is Level.FAIL


async def test_every_field_that_holds_a_secret_is_known_to_whoever_seals_again(redis: Redis) -> None:
    """Whatever is documented as sealed, or has a context in ``sealed_fields``, is reached by the walk."""
    contexts = {
        name
        for name, one in vars(sealed_fields).items()
        if name == "ACCESS_TOKEN_KEY" or (callable(one) and getattr(one, "__module__", "") == sealed_fields.__name__)
    }
    sealer = Sealer([OLD])
    await Definitions(redis).create(full_of_secrets(sealer))
    await stored_installation_room(redis, sealer)
    await SigningKeyStore(redis).offer(sealer.seal("jwk", sealed_fields.ACCESS_TOKEN_KEY))
    reached: set[str] = set()

    def note(sealed: str, context: str) -> str:
        reached.add(context)
        return sealed

    for place in sealed_places(redis):
        async for record in place.records(await place.owners()):
            assert record.renew(record.stored, note) == record.stored
    assert len(reached) == len(contexts), "name the new field in its room's sealed.py"
    secret_names = {name for kind in (OutboundCredentials, Transport) for name in _named_secret(kind)}
    assert secret_names == {*CREDENTIAL_FIELDS, *TRANSPORT_FIELDS}


def _named_secret(kind: type[Any]) -> set[str]:
    assert is_dataclass(kind)
    return {one.name for one in fields(kind) if one.name.endswith(("secret", "private_key", "password"))}


def test_unknown_key_is_named_with_what_to_do() -> None:
    sealed = Sealer([OLD]).seal("x", "c")
    with pytest.raises(SealError, match=r"add that key again.*dispatcher secrets reseal"):
        Sealer([NEW]).open(sealed, "c")
