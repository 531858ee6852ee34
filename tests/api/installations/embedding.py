"""Shared by tests of host applications: a marketplace, its partner, and the documents' requests. Holds no test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aiohttp import ClientResponse

from dispatcher.model.access import Scope
from tests.api.conftest import PRODUCT, Api

PARTNER_SCOPES = frozenset({Scope.MARKETPLACE_PARTNER.value})
USERNAME, PASSWORD = "user@example.com", "password"
NEW_ACCOUNT: dict[str, Any] = {
    "MarketplaceId": 27,
    "Username": USERNAME,
    "Password": PASSWORD,
    "AccountName": "Customer X",
    "partnerConnector": {
        "Name": "Connector Name",
        "Version": "1.0",
        "AuthValue": "00000000000000000000000000000000000000000",
        "Properties": [{"Name": "Url", "Value": "https://myapp.something.blah"}],
    },
}
"""The first request of the marketplace document, made valid JSON."""


@dataclass(frozen=True, slots=True)
class Partner:
    """A host application: its client and what it asks."""

    api: Api
    headers: dict[str, str]
    client_id: str
    secret: str

    async def ask(self, method: str, path: str, **kwargs: Any) -> ClientResponse:
        headers = {**self.headers, **kwargs.pop("headers", {})}
        return await self.api.http.request(method, path, headers=headers, **kwargs)

    async def json(self, method: str, path: str, expected: int = 200, **kwargs: Any) -> Any:
        answer = await self.ask(method, path, **kwargs)
        body = await answer.json()
        assert answer.status == expected, body
        return body

    async def session(self, expected: int = 200, **changed: Any) -> Any:
        """A session as the first request of the document asks for it, but for what is changed; None = left out."""
        body = {name: value for name, value in (NEW_ACCOUNT | changed).items() if value is not None}
        return await self.json("POST", "/v1.0/users/marketplace", expected, json=body)

    async def connectors(self, account_id: str) -> Any:
        return await self.json("GET", "/v1.0/account/connectors", headers={"X-Cyclr-Account": account_id})


async def partner_of(api: Api, *marketplaces: int) -> Partner:
    """A new client, bound to these marketplaces; none = to all."""
    bound = marketplaces or None
    client, secret = await api.services.clients.create(PARTNER_SCOPES, "partner", None, 0, marketplaces=bound)
    return Partner(api, await api.bearer(client.client_id, secret), client.client_id, secret)


async def open_shop(api: Api, number: int = 27, **more: Any) -> None:
    shop = {"id": number, "name": "Acme", "productIds": [PRODUCT]} | more
    await api.json("POST", "/v1/marketplaces", 201, json=shop)
