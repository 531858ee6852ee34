"""Custom headers from a publisher's mutation to the product host: sealed on the way, refused where they would harm."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from pydantic import SecretStr
from standardwebhooks import Webhook

from dispatcher.model.status import Status
from dispatcher.policy.notification.headers import FORBIDDEN_NAMES
from tests.api.conftest import ADMIN_ID, ADMIN_SECRET
from tests.api.graphql.conftest import bearer
from tests.hosts import Reply
from tests.serving import Http, asking
from tests.worker.conftest import Shop

HIDDEN = "hidden-value-4711"
HEADERS: list[dict[str, Any]] = [
    {"name": "X-Api-Key", "value": HIDDEN, "secret": True},
    {"name": "X-Tenant", "value": "acme; region=eu"},
    {"name": "Authorization", "value": "Token shared-with-host", "secret": True},
]


class Publisher:
    """Defines integrations through the API, on the store that the shop's workers use."""

    def __init__(self, http: Http, shop: Shop, token: dict[str, str]) -> None:
        self._http, self._shop, self._token = http, shop, token

    async def change(self, mutation: str, wanted: str = "", **fields: Any) -> Any:
        kind = mutation[0].upper() + mutation[1:]
        query = (
            f"mutation($input: {kind}Input!) {{ {mutation}(input: $input) {{ {wanted} userErrors {{ code path }} }} }}"
        )
        asked = {"query": query, "variables": {"input": fields}}
        answer = await self._http.post("/graphql", json=asked, headers=self._token)
        body = await answer.json()
        assert "errors" not in body, body
        return body["data"][mutation]

    async def integration(self, **fields: Any) -> Any:
        """Created, published and linked to the product ``P``."""
        wanted = "signingSecret productIntegration { id headers { name value secret } }"
        made = await self.change("createProductIntegration", wanted, createUrl=self._shop.host.url(), **fields)
        assert made["userErrors"] == []
        own_id = made["productIntegration"]["id"]
        await self.change("publishProductIntegration", integrationId=own_id)
        await self.change("linkProductIntegration", productId="P", integrationId=own_id)
        return made["productIntegration"] | {"signingSecret": made["signingSecret"]}

    async def emit(self) -> str:
        answer = await self._http.post("/v1/events", json={"type": "create", "productId": "P"}, headers=self._token)
        body = await answer.json()
        assert answer.status == 202, body
        return str(body["id"])


@pytest.fixture
async def publisher(shop: Shop) -> AsyncIterator[Publisher]:
    admin = {"admin_client_id": ADMIN_ID, "admin_client_secret": SecretStr(ADMIN_SECRET)}
    async with asking(await shop.built_api(**admin)) as http:
        yield Publisher(http, shop, await bearer(http, ADMIN_ID, ADMIN_SECRET))


async def stored(shop: Shop) -> bytes:
    """Everything in the store, as somebody would see it who stole its disk."""
    await shop.redis.config_set("rdbcompression", "no")
    keys = [key async for key in shop.redis.scan_iter()]
    return b"".join([await shop.redis.dump(key) or b"" for key in keys])


async def test_custom_headers_arrive_at_the_host_beside_a_genuine_signature(shop: Shop, publisher: Publisher) -> None:
    made = await publisher.integration(headers=HEADERS)
    assert [one["value"] for one in made["headers"]] == ["******", "acme; region=eu", "******"]
    event_id = await publisher.emit()
    await shop.work()
    assert (await shop.ended(event_id)).state.status is Status.SUCCEEDED
    (request,) = shop.host.requests
    assert {one["name"]: request.headers[one["name"]] for one in HEADERS} == {h["name"]: h["value"] for h in HEADERS}
    assert request.headers["Content-Type"] == "application/json"
    Webhook(made["signingSecret"]).verify(request.body, {k.lower(): v for k, v in request.headers.items()})


async def test_secret_values_are_sealed_in_the_store_in_every_version(shop: Shop, publisher: Publisher) -> None:
    await publisher.integration(headers=HEADERS)
    everything = await stored(shop)
    assert b"acme; region=eu" in everything
    assert HIDDEN.encode() not in everything
    assert b"shared-with-host" not in everything
    found = (await shop.definitions.integrations(None, 1)).items[0]
    assert all(HIDDEN not in header.value for header in found.working.headers)


async def test_a_secret_value_that_the_host_repeats_is_not_kept_with_the_attempt(
    shop: Shop, publisher: Publisher
) -> None:
    shop.host.replies.append(Reply(500, f"wrong key {HIDDEN}".encode()))
    await publisher.integration(headers=HEADERS, retrySchedule=[])
    event_id = await publisher.emit()
    await shop.work()
    assert (await shop.ended(event_id)).state.status is Status.DEAD
    (attempt,) = await shop.attempts([event_id])
    assert attempt.response_body is not None
    assert attempt.response_body.startswith("wrong key")
    assert HIDDEN not in attempt.response_body


@pytest.mark.parametrize(
    "name",
    [
        *sorted(FORBIDDEN_NAMES),
        "Webhook-Id",
        "webhook-signature",
        "Proxy-Authorization",
        "X-Forwarded-For",
        "HOST",
        "a b",
    ],
)
async def test_headers_of_http_and_of_the_dispatcher_are_user_errors(publisher: Publisher, name: str) -> None:
    refused = await publisher.change("createProductIntegration", headers=[{"name": name, "value": "x"}])
    assert refused["userErrors"] == [{"code": "header_not_allowed", "path": ["input", "headers", "0", "name"]}]


@pytest.mark.parametrize("value", ["a\r\nHost: evil.example", "a\nb", "a\x00b", "é", "x" * 1025])
async def test_a_value_cannot_smuggle_another_header(publisher: Publisher, value: str) -> None:
    refused = await publisher.change("createProductIntegration", headers=[{"name": "X-A", "value": value}])
    assert refused["userErrors"] == [{"code": "header_not_allowed", "path": ["input", "headers", "0", "value"]}]


async def test_authorization_is_ours_once_there_are_credentials(publisher: Publisher) -> None:
    basic = {"type": "BASIC", "clientId": "u", "clientSecret": "p"}
    headers = [{"name": "authorization", "value": "x"}]
    refused = await publisher.change("createProductIntegration", headers=headers, outboundCredentials=basic)
    assert [one["code"] for one in refused["userErrors"]] == ["header_not_allowed"]
    made = await publisher.integration(headers=headers)
    later = await publisher.change("updateProductIntegration", id=made["id"], outboundCredentials=basic)
    assert [one["code"] for one in later["userErrors"]] == ["header_not_allowed"]
