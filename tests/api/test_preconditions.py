"""Changing what somebody else changed meanwhile, pinging what is not there, and asking for too much."""

from __future__ import annotations

from typing import Any

import pytest

from dispatcher.ids import new_uuid
from tests.api.conftest import Api, Start
from tests.api.tenants import Tenant, settle_in
from tests.api.worker_hand import WorkerHand

CHANGES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("PATCH", "", {"json": {"name": "new"}}),
    ("POST", "/rotate", {}),
    ("DELETE", "", {}),
)


@pytest.fixture
async def publisher(start: Start) -> Tenant:
    api = await start()
    return await settle_in(WorkerHand(api), api, "acme", "P-acme", "A-acme")


async def new_client(api: Api) -> tuple[str, str]:
    """Its address, and its ``ETag``."""
    made = await api.json("POST", "/v1/clients", 201, json={"scopes": ["events:read"]})
    path = f"/v1/clients/{made['clientId']}"
    return path, (await api.ask("GET", path)).headers["ETag"]


@pytest.mark.parametrize(("method", "suffix", "sent"), CHANGES, ids=lambda value: str(value) or "itself")
async def test_bi48_a_stale_if_match_is_answered_412_and_changes_nothing(
    api: Api, method: str, suffix: str, sent: dict[str, Any]
) -> None:
    path, tag = await new_client(api)
    await api.json("PATCH", path, 200, json={"name": "somebody else's"})
    before = await (await api.ask("GET", path)).json()
    stale = {"If-Match": tag}
    await api.refused(method, path + suffix, 412, "precondition_failed", headers=stale, **sent)
    assert await (await api.ask("GET", path)).json() == before


@pytest.mark.parametrize(("method", "suffix", "sent"), CHANGES, ids=lambda value: str(value) or "itself")
async def test_bi48_a_current_if_match_lets_the_change_through(
    api: Api, method: str, suffix: str, sent: dict[str, Any]
) -> None:
    path, tag = await new_client(api)
    answer = await api.ask(method, path + suffix, headers={"If-Match": tag}, **sent)
    assert answer.status in (200, 204)
    changed = (await api.ask("GET", path)).headers["ETag"]
    assert changed != tag
    assert answer.headers.get("ETag", changed) == changed
    assert (await api.ask(method, path + suffix, headers={"If-Match": "*"}, **sent)).status in (200, 204)
    await api.refused(method, f"/v1/clients/nobody{suffix}", 404, "not_found", headers={"If-Match": tag}, **sent)


@pytest.mark.parametrize(
    ("mutation", "id_field", "more"),
    [
        ("updateProductIntegration", "id", ', name: "new"'),
        ("publishProductIntegration", "integrationId", ""),
        ("deleteProductIntegration", "id", ""),
    ],
)
async def test_bi48_a_definition_that_was_modified_since_is_a_user_error(
    publisher: Tenant, mutation: str, id_field: str, more: str
) -> None:
    if mutation.startswith("delete"):
        unlinked = f'productId: "{publisher.product}", integrationId: "{publisher.id}"'
        await publisher.mutate("unlinkProductIntegration", unlinked)
    read = f'{{ productIntegration(id: "{publisher.id}") {{ lastModified name }} }}'
    stale = (await publisher.graph(read))["data"]["productIntegration"]["lastModified"]
    await publisher.mutate("updateProductIntegration", f'id: "{publisher.id}", name: "somebody else\'s"')
    current = (await publisher.graph(read))["data"]["productIntegration"]
    text = f'{id_field}: "{publisher.id}"{more}, expectedLastModified: '
    refused = await publisher.mutate(mutation, f'{text}"{stale}"')
    assert refused["userErrors"][0]["code"] == "modified_meanwhile"
    assert refused["userErrors"][0]["path"] == ["input", "expectedLastModified"]
    assert (await publisher.graph(read))["data"]["productIntegration"] == current
    assert (await publisher.mutate(mutation, f'{text}"{current["lastModified"]}"'))["userErrors"] == []


async def test_bi51_a_ping_of_a_deleted_integration_is_not_found(publisher: Tenant) -> None:
    unlinked = f'productId: "{publisher.product}", integrationId: "{publisher.id}"'
    await publisher.mutate("unlinkProductIntegration", unlinked)
    ping = f'id: "{publisher.id}"'
    assert (await publisher.mutate("triggerProductIntegrationPingTest", ping))["userErrors"] == []
    await publisher.mutate("deleteProductIntegration", ping)
    for gone in (publisher.id, new_uuid()):
        payload = await publisher.mutate("triggerProductIntegrationPingTest", f'id: "{gone}"')
        assert payload["userErrors"][0]["code"] == "not_found"


async def test_bi51_a_ping_of_what_is_not_published_or_not_configured_is_a_user_error(publisher: Tenant) -> None:
    made = await publisher.mutate("createProductIntegration", 'name: "empty"', "productIntegration { id }")
    one = made["productIntegration"]["id"]
    for text, code in (("", "nothing_to_ping"), (", version: PUBLISHED", "not_published")):
        payload = await publisher.mutate("triggerProductIntegrationPingTest", f'id: "{one}"{text}')
        assert payload["userErrors"][0]["code"] == code


LIMITS = {
    "headers": ("headers: [{}]", '{{ name: "X-{n}", value: "v" }}', 20),
    "orderFormFields": ("orderFormFields: [{}]", '{{ name: "f{n}" }}', 100),
}


@pytest.mark.parametrize("field", LIMITS)
async def test_bi46_more_than_the_limit_is_refused_by_name(publisher: Tenant, field: str) -> None:
    whole, one, most = LIMITS[field]
    for count, codes in ((most, []), (most + 1, ["limit_reached"])):
        listed = whole.format(", ".join(one.format(n=n) for n in range(count)))
        payload = await publisher.mutate("updateProductIntegration", f'id: "{publisher.id}", {listed}')
        assert [error["code"] for error in payload["userErrors"]] == codes, payload


async def test_bi46_a_type_is_pinged_once_however_often_it_is_named(publisher: Tenant) -> None:
    types = ", ".join(["SUBSCRIPTION_ORDER"] * 500)
    payload = await publisher.mutate(
        "triggerProductIntegrationPingTest",
        f'id: "{publisher.id}", eventTypes: [{types}]',
        "test { results { eventType } }",
    )
    assert payload["test"]["results"] == [{"eventType": "SUBSCRIPTION_ORDER"}]


async def test_bi46_a_client_has_so_many_scopes(api: Api) -> None:
    scopes = [f"scope:{n}" for n in range(33)]
    await api.refused("POST", "/v1/clients", 422, "limit_reached", "scopes", json={"scopes": scopes})


async def test_bi55_markup_is_kept_as_it_came_and_served_as_json(publisher: Tenant) -> None:
    name = "<script>alert(1)</script>"
    await publisher.mutate("updateProductIntegration", f'id: "{publisher.id}", name: "{name}"')
    query = {"query": f'{{ productIntegration(id: "{publisher.id}") {{ name }} }}'}
    answer = await publisher.api.http.post("/graphql", json=query, headers=publisher.headers)
    assert answer.content_type == "application/json"
    assert (await answer.json())["data"]["productIntegration"]["name"] == name
    entry = (await publisher.api.json("GET", "/v1/audit?limit=1", 200))["data"][0]
    assert entry["after"]["name"] == name
