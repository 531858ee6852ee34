"""The API with its GraphQL endpoint on an empty store, and a starter of ping tests that only takes notes."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from redis.asyncio import Redis

from dispatcher.api.app import build_app
from dispatcher.api.services import PING_STARTER, SERVICES
from dispatcher.model.event_type import EventType
from dispatcher.model.integration import Integration
from dispatcher.model.ping import PingTest
from dispatcher.store.secrets.signing_keys import SigningKeyStore
from tests.api.conftest import ADMIN_ID, ADMIN_SECRET, Api, SteppedClock, api_settings
from tests.serving import Http, asking


@dataclass
class NotedPings:
    """Requests that it was asked."""

    asked: list[tuple[str, str, list[EventType]]] = field(default_factory=list)

    async def start(self, integration: Integration, test: PingTest) -> None:
        self.asked.append((integration.id, test.version, [one.event_type for one in test.results]))


@dataclass
class Graph:
    """One API with a token of its administrator."""

    api: Api
    pings: NotedPings

    async def send(self, query: str, headers: dict[str, str] | None = None, **rest: Any) -> tuple[int, Any]:
        """Status and body of one query, whose status says by itself whether it was executed."""
        given = {"Accept": "application/graphql-response+json", **(headers or {})}
        answer = await self.api.ask("POST", "/graphql", json={"query": query, **rest}, headers=given)
        return answer.status, await answer.json()

    async def data(self, query: str, **variables: Any) -> Any:
        """Value of the only field of a query without errors."""
        status, body = await self.send(query, variables=variables)
        assert status == 200, body
        assert "errors" not in body, body
        (value,) = body["data"].values()
        return value

    async def created(self, fields: str = 'createUrl: "https://example.com/a"') -> Any:
        """A new integration: id, appMarketId, connectorId and its signing secret."""
        wanted = "productIntegration { id appMarketId connectorId } signingSecret userErrors { code path message }"
        payload = await self.data(f"mutation {{ createProductIntegration(input: {{ {fields} }}) {{ {wanted} }} }}")
        assert payload["userErrors"] == [], payload
        return payload["productIntegration"] | {"signingSecret": payload["signingSecret"]}

    async def change(self, mutation: str, input_text: str, wanted: str = "productIntegration { id }") -> Any:
        """The payload of a mutation, user errors included."""
        errors = "userErrors { __typename code path message }"
        return await self.data(f"mutation {{ {mutation}(input: {{ {input_text} }}) {{ {wanted} {errors} }} }}")

    async def bearer_of_new(self, *scopes: str, account_id: str | None = None) -> dict[str, str]:
        """Headers of a new client with just these scopes."""
        client, secret = await self.api.services.clients.create(frozenset(scopes), "test", account_id, 0)
        return await bearer(self.api.http, client.client_id, secret)

    async def shown(self, any_id: object, wanted: str) -> Any:
        return await self.data(f'{{ productIntegration(id: "{any_id}") {{ {wanted} }} }}')


async def bearer(http: Http, client_id: str, secret: str) -> dict[str, str]:
    """Headers with a fresh token."""
    pair = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    form = {"grant_type": "client_credentials"}
    answer = await http.post("/oauth2/token", data=form, headers={"Authorization": f"Basic {pair}"})
    body = await answer.json()
    assert answer.status == 200, body
    return {"Authorization": f"Bearer {body['access_token']}"}


@pytest.fixture
async def graph(redis: Redis, signing_key: str) -> AsyncIterator[Graph]:
    clock = SteppedClock()
    await SigningKeyStore(redis).offer(signing_key)
    app = await build_app(api_settings(), redis, clock=clock)
    app[PING_STARTER] = NotedPings()
    async with asking(app) as http:
        api = Api(http, app[SERVICES], clock, redis)
        api.headers = await bearer(http, ADMIN_ID, ADMIN_SECRET)
        pings = app[PING_STARTER]
        assert isinstance(pings, NotedPings)
        yield Graph(api, pings)
