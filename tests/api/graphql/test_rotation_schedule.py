"""Signing keys that are rotated on a schedule, what operators hear of, and products that change hands."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from dispatcher.clock import DAY_MS
from dispatcher.flow.integrations.credentials.rotate_secret import rotate_secret
from dispatcher.flow.integrations.credentials.rotation_schedule import Rotating
from dispatcher.model.integration import Integration, SigningAlgorithm
from dispatcher.model.operational import OperationalEvent, OperationalKind
from dispatcher.store.keys import definitions as definition_keys
from dispatcher.store.keys import queue as queue_keys
from tests.api.graphql.conftest import Graph

SCHEDULE = """mutation($id: ID!, $days: Int, $overlap: Float! = 86400, $algorithm: SigningAlgorithm! = ED25519) {
  scheduleProductIntegrationSigningKeyRotation(
    input: {id: $id, everyDays: $days, overlapSeconds: $overlap, algorithm: $algorithm}
  ) {
    productIntegration { signingKeyRotation { everyDays overlapSeconds nextRotationOn } }
    userErrors { code message path }
  }
}"""
LINK = """mutation($product: ID!, $integration: ID!) {
  linkProductIntegration(input: {productId: $product, integrationId: $integration}) {
    product { integrationId } formerIntegrationId warnings userErrors { code }
  }
}"""
PUBLISH = "mutation($id: ID!) { publishProductIntegration(input: {integrationId: $id}) { userErrors { code } } }"


async def created(graph: Graph) -> str:
    return str((await graph.created())["id"])


def rotating(graph: Graph, told: list[OperationalEvent]) -> Rotating:
    services = graph.api.services
    return Rotating(
        services.definitions, services.definitions.rotations_due, services.sealer, services.audit, told.append
    )


async def stored(graph: Graph, integration_id: str) -> Integration:
    return await graph.api.services.definitions.needed(integration_id)


async def overdue(graph: Graph, integration_id: str) -> None:
    """As if the days had passed."""

    def past(current: Integration) -> Integration:
        assert current.signing_rotation is not None
        return replace(current, signing_rotation=replace(current.signing_rotation, next_ms=1))

    await graph.api.services.definitions.edit(integration_id, past)
    await graph.api.services.definitions.rotations_due.at(integration_id, 1)


def ed25519(integration: Integration) -> list[int | None]:
    """Ends of the ed25519 keys, newest first."""
    kept = [one for one in integration.signing_secrets if one.algorithm is SigningAlgorithm.ED25519]
    return [one.not_after_ms for one in kept]


async def test_scheduled_rotation_is_made_once_however_many_workers_ask(graph: Graph) -> None:
    integration_id = await created(graph)
    await graph.data(SCHEDULE, id=integration_id, days=30)
    told: list[OperationalEvent] = []
    workers = [rotating(graph, told) for _ in range(4)]
    await overdue(graph, integration_id)
    assert sum(await asyncio.gather(*(one.once() for one in workers))) == 1
    first = await stored(graph, integration_id)
    assert ed25519(first) == [None]
    await overdue(graph, integration_id)
    assert sum(await asyncio.gather(*(one.once() for one in workers))) == 1
    second = await stored(graph, integration_id)
    newest, older = ed25519(second)
    assert newest is None
    assert older is not None
    assert second.signing_rotation is not None
    assert second.signing_rotation.next_ms > older > 0
    assert [one.kind for one in told] == [OperationalKind.SIGNING_KEY_ROTATED] * 2


async def test_two_workers_that_took_the_same_rotation_make_it_once(graph: Graph) -> None:
    """The index is only a hint: what decides is the record, compared as it is written."""
    integration_id = await created(graph)
    await graph.data(SCHEDULE, id=integration_id, days=30)
    told: list[OperationalEvent] = []
    now_ms = 10**13
    made = await asyncio.gather(*(rotating(graph, told)._rotate(integration_id, now_ms) for _ in range(4)))
    assert sorted(made) == [False, False, False, True]
    assert len(ed25519(await stored(graph, integration_id))) == 1


async def test_first_rotation_is_due_when_the_current_key_is_old_enough(graph: Graph) -> None:
    integration_id = await created(graph)
    services = graph.api.services
    now_ms = int(services.clock() * 1000)
    await rotate_secret(services.definitions, services.sealer, integration_id, now_ms, 0, SigningAlgorithm.ED25519)
    await graph.data(SCHEDULE, id=integration_id, days=7)
    after = await stored(graph, integration_id)
    assert after.signing_rotation is not None
    assert after.signing_rotation.next_ms == now_ms + 7 * DAY_MS
    assert await rotating(graph, []).once() == 0


async def test_schedule_ends_when_told_and_when_the_integration_is_gone(graph: Graph) -> None:
    integration_id = await created(graph)
    await graph.data(SCHEDULE, id=integration_id, days=7)
    ended = await graph.data(SCHEDULE, id=integration_id, days=None)
    assert ended["productIntegration"]["signingKeyRotation"] is None
    assert await rotating(graph, []).once() == 0
    await graph.data(SCHEDULE, id=integration_id, days=7)
    await overdue(graph, integration_id)
    await graph.api.services.definitions.delete(integration_id)
    assert await rotating(graph, []).once() == 0
    assert not await graph.api.redis.exists(definition_keys.ROTATIONS_DUE)


@pytest.mark.parametrize(
    ("changed", "code", "field"),
    [
        ({"algorithm": "HMAC"}, "not_schedulable", "algorithm"),
        ({"days": 0}, "out_of_range", "everyDays"),
        ({"days": 367}, "out_of_range", "everyDays"),
        ({"overlap": 1.0}, "out_of_range", "overlapSeconds"),
    ],
)
async def test_schedules_that_hosts_could_not_follow_are_refused(
    graph: Graph, changed: dict[str, object], code: str, field: str
) -> None:
    integration_id = await created(graph)
    answered = await graph.data(SCHEDULE, **{"id": integration_id, "days": 30, **changed})
    (error,) = answered["userErrors"]
    assert (error["code"], error["path"]) == (code, ["input", field])


async def test_short_overlap_shortens_no_overlap_that_was_promised_before(graph: Graph) -> None:
    integration_id = await created(graph)
    services = graph.api.services
    for now_ms, overlap_s in ((1_000_000, 3600.0), (2_000_000, 60.0)):
        await rotate_secret(services.definitions, services.sealer, integration_id, now_ms, overlap_s)
    ends = [one.not_after_ms for one in (await stored(graph, integration_id)).signing_secrets]
    assert ends == [None, 2_060_000, 4_600_000]


async def test_rotation_without_overlap_ends_every_older_secret_at_once(graph: Graph) -> None:
    integration_id = await created(graph)
    services = graph.api.services
    for now_ms, overlap_s in ((1_000_000, 3600.0), (2_000_000, 0.0)):
        await rotate_secret(services.definitions, services.sealer, integration_id, now_ms, overlap_s)
    assert [one.not_after_ms for one in (await stored(graph, integration_id)).signing_secrets] == [None]


async def test_product_that_changes_hands_is_told_of(graph: Graph) -> None:
    first, second = await created(graph), await created(graph)
    for one in (first, second):
        await graph.data(PUBLISH, id=one)
    fresh = await graph.data(LINK, product="P", integration=first)
    assert (fresh["formerIntegrationId"], fresh["warnings"]) == (None, [])
    again = await graph.data(LINK, product="P", integration=first)
    assert again["warnings"] == []
    moved = await graph.data(LINK, product="P", integration=second)
    assert moved["product"]["integrationId"] == second
    assert moved["formerIntegrationId"] == first
    assert first in moved["warnings"][0]


async def test_credential_state_is_authorized_until_a_token_could_not_be_had(graph: Graph) -> None:
    integration_id = await created(graph)
    query = "query($id: ID!) { productIntegration(id: $id) { credentialState { state since } } }"
    shown = (await graph.data(query, id=integration_id))["credentialState"]
    assert shown == {"state": "AUTHORIZED", "since": None}
    queue = graph.api.services.queue
    lane = queue_keys.lane(queue.partition_of(integration_id), integration_id)
    await graph.api.redis.hset(lane, "failing", "1700000000000")  # type: ignore[misc]
    shown = (await graph.data(query, id=integration_id))["credentialState"]
    assert shown == {"state": "FAILING", "since": "2023-11-14T22:13:20.000Z"}
