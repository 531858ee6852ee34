"""Credentials of product hosts, and the secrets that sign what is sent to them."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from dispatcher.errors import NotFound, Unprocessable
from dispatcher.flow.integrations.credentials.inbound_client import generate_inbound_client
from dispatcher.flow.integrations.credentials.rotate_secret import (
    DEFAULT_OVERLAP_S,
    MAX_OLD_SECRETS,
    MAX_OVERLAP_S,
    rotate_secret,
)
from dispatcher.store.access.clients import hash_secret
from dispatcher.store.secrets import fields as sealed_fields
from tests.flow.definition_desk import NOW_MS, Desk, desk_on, told

DAY_MS = 86_400_000


@pytest.fixture
def desk(redis: Redis) -> Desk:
    return desk_on(redis)


async def test_only_a_hash_of_the_pair_is_kept(desk: Desk) -> None:
    created = (await desk.create()).integration
    pair = await generate_inbound_client(desk.definitions, created.id, NOW_MS)
    assert len(pair.client_id) == 10
    assert pair.client_id.isalnum()
    found = await desk.definitions.integration_of_inbound(pair.client_id)
    assert found is not None
    assert found.inbound_client is not None
    assert found.inbound_client.secret_hash == hash_secret(pair.client_secret)
    assert found.inbound_client.created_ms == NOW_MS


async def test_new_pair_takes_the_place_of_the_old_one(desk: Desk) -> None:
    created = (await desk.create()).integration
    old = await generate_inbound_client(desk.definitions, created.id, NOW_MS)
    new = await generate_inbound_client(desk.definitions, created.id, NOW_MS + 1)
    assert await desk.definitions.integration_of_inbound(old.client_id) is None
    assert await desk.definitions.integration_of_inbound(new.client_id) is not None
    with pytest.raises(NotFound):
        await generate_inbound_client(desk.definitions, "34999", NOW_MS)


async def test_rotated_secret_signs_beside_the_old_one_for_the_overlap(desk: Desk) -> None:
    created = await desk.create()
    own_id = created.integration.id
    rotated = await rotate_secret(desk.definitions, desk.sealer, own_id, NOW_MS)
    newest, old = rotated.integration.signing_secrets
    context = sealed_fields.signing_secret(own_id)
    assert desk.sealer.open(newest.secret, context) == rotated.signing_secret
    assert desk.sealer.open(old.secret, context) == created.signing_secret
    assert newest.not_after_ms is None
    assert old.not_after_ms == NOW_MS + DEFAULT_OVERLAP_S * 1000 == NOW_MS + DAY_MS


async def test_rotation_never_extends_the_end_of_an_older_secret(desk: Desk) -> None:
    own_id = (await desk.create()).integration.id
    await rotate_secret(desk.definitions, desk.sealer, own_id, NOW_MS, overlap_s=60)
    rotated = await rotate_secret(desk.definitions, desk.sealer, own_id, NOW_MS + 1, overlap_s=3600)
    assert [one.not_after_ms for one in rotated.integration.signing_secrets] == [
        None,
        NOW_MS + 3_600_001,
        NOW_MS + 60_000,
    ]


async def test_expired_secrets_go_with_the_next_rotation(desk: Desk) -> None:
    own_id = (await desk.create()).integration.id
    await rotate_secret(desk.definitions, desk.sealer, own_id, NOW_MS)
    rotated = await rotate_secret(desk.definitions, desk.sealer, own_id, NOW_MS + DAY_MS)
    assert len(rotated.integration.signing_secrets) == 2


async def test_rotation_without_overlap_leaves_one_secret(desk: Desk) -> None:
    own_id = (await desk.create()).integration.id
    rotated = await rotate_secret(desk.definitions, desk.sealer, own_id, NOW_MS, overlap_s=0)
    assert len(rotated.integration.signing_secrets) == 1


async def test_twelve_rotations_keep_ten_old_secrets(desk: Desk) -> None:
    own_id = (await desk.create()).integration.id
    for n in range(12):
        rotated = await rotate_secret(desk.definitions, desk.sealer, own_id, NOW_MS + n)
    assert len(rotated.integration.signing_secrets) == MAX_OLD_SECRETS + 1


@pytest.mark.parametrize("overlap_s", [-1.0, MAX_OVERLAP_S + 1, float("nan"), float("inf")])
async def test_overlap_is_seven_days_at_most(desk: Desk, overlap_s: float) -> None:
    own_id = (await desk.create()).integration.id
    with pytest.raises(Unprocessable) as refused:
        await rotate_secret(desk.definitions, desk.sealer, own_id, NOW_MS, overlap_s)
    assert told(refused.value) == [("out_of_range", "overlapSeconds")]
