"""The catalogue over HTTP, and accepting only what fits it where an integration asks for that."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator

from dispatcher.ids import new_hex24, new_uuid
from dispatcher.model.event_type import TYPE_RULES, EventType
from dispatcher.model.integration import Integration, Revision
from tests.api.conftest import Api

STRICT = Revision(number=1, urls={"createUrl": "https://host.example/hook"}, validate_payloads=True)


async def strict_product(api: Api, product: str = "strict") -> str:
    """Linked to an integration that validates payloads in its published version, and not in WORKING."""
    definitions = api.services.definitions
    working = replace(STRICT, number=0, validate_payloads=False)
    made = await definitions.create(Integration(new_uuid(), 0, new_hex24(), "test", 1, 1, working=working))
    await definitions.publish(made, made.modified_ms, STRICT)
    await definitions.link(product, made.id, 1)
    return product


async def test_all_types_are_listed_with_where_they_go(api: Api) -> None:
    listed = (await api.json("GET", "/v1/event-types", 200))["data"]
    assert [one["type"] for one in listed] == [kind.value for kind in EventType]
    assert {one["type"]: one["urlField"] for one in listed} == {k.value: r.url_field for k, r in TYPE_RULES.items()}
    assert [one["type"] for one in listed if not one["emittable"]] == [
        *("SUBSCRIPTION_STATUS", "INSTALL_STEP", "UNINSTALL_STEP", "MARKETPLACE_CALLBACK", "OPERATIONAL")
    ]


@pytest.mark.parametrize("kind", EventType)
async def test_the_schema_that_is_served_takes_the_sample_that_is_served(api: Api, kind: EventType) -> None:
    found = await api.json("GET", f"/v1/event-types/{kind.value}", 200)
    assert found["schema"]["title"] == found["type"] == kind.value
    Draft202012Validator(found["schema"]).validate(found["sample"])


async def test_a_type_is_found_by_its_short_name_and_no_other(api: Api) -> None:
    assert (await api.json("GET", "/v1/event-types/create", 200))["type"] == "SUBSCRIPTION_ORDER"
    await api.refused("GET", "/v1/event-types/created", 404, "not_found", "type")


async def test_samples_that_are_served_are_accepted_by_the_strictest_integration(api: Api) -> None:
    product = await strict_product(api)
    for one in (await api.json("GET", "/v1/event-types", 200))["data"]:
        if one["emittable"]:
            found = await api.json("GET", f"/v1/event-types/{one['type']}", 200)
            await api.emit(type=one["type"], productId=product, payload=found["sample"])


async def test_a_payload_that_does_not_fit_is_refused_with_its_path(api: Api) -> None:
    product = await strict_product(api)
    payload = {"order": {"editionCode": "BASIC", "items": [{"unit": "USER", "quantity": "many"}]}}
    event = {"type": "create", "productId": product, "payload": payload}
    await api.refused("POST", "/v1/events", 422, "invalid_value", "payload.order.items.0.quantity", json=event)
    missing = {"type": "create", "productId": product}
    await api.refused("POST", "/v1/events", 422, "missing_field", "payload.order", json=missing)
    results = (await api.json("POST", "/v1/events/batch", 200, json=[event, missing]))["results"]
    assert [one["status"] for one in results] == [422, 422]


async def test_nothing_is_validated_unless_the_version_in_use_asks_for_it(api: Api) -> None:
    await api.emit(payload={"order": {}})
    product = await strict_product(api)
    await api.emit(productId=product, flag="DEVELOPMENT", payload={"order": {}})
    await api.emit(422, productId=product, payload={"order": {}})


async def test_publishers_turn_it_on_for_what_they_publish(api: Api) -> None:
    async def graphql(query: str) -> Any:
        body = await api.json("POST", "/graphql", 200, json={"query": f"mutation {{ {query} }}"})
        (payload,) = body["data"].values()
        assert payload["userErrors"] == []
        return payload.get("productIntegration")

    wanted = "{ productIntegration { id validatePayloads } userErrors { code } }"
    made = await graphql(f"createProductIntegration(input: {{ validatePayloads: true }}) {wanted}")
    assert made["validatePayloads"] is True
    own_id = made["id"]
    await graphql(f'publishProductIntegration(input: {{ integrationId: "{own_id}" }}) {wanted}')
    link = f'productId: "checked", integrationId: "{own_id}"'
    await graphql(f"linkProductIntegration(input: {{ {link} }}) {{ userErrors {{ code }} }}")
    await api.emit(422, productId="checked")
    await graphql(f'updateProductIntegration(input: {{ id: "{own_id}", validatePayloads: null }}) {wanted}')
    await api.emit(422, productId="checked")
    await graphql(f'publishProductIntegration(input: {{ integrationId: "{own_id}" }}) {wanted}')
    await api.emit(productId="checked")
