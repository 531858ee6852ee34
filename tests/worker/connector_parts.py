"""A host application and its accounts' connectors. Holds no test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from pydantic import SecretStr

from dispatcher.marketplace.routes import mount_marketplace
from dispatcher.model.integration import Integration
from dispatcher.model.queue import StoredEvent
from dispatcher.model.status import Status
from tests.api.conftest import ADMIN_ID, ADMIN_SECRET, basic
from tests.hosts import ProductHost, Received
from tests.serving import Http, asking
from tests.worker.conftest import Shop

BASIC = "dXNlcm5hbWU6cGFzc3dvcmQ="
PRODUCT = "P"


@dataclass
class HostApplication:
    """A partner's backend on the store that the shop's workers use."""

    shop: Shop
    http: Http
    headers: dict[str, str] = field(default_factory=dict)

    async def json(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        answer = await self.http.request(method, path, json=body, headers=self.headers | headers)
        read = await answer.json()
        assert answer.status < 300, read
        return read

    async def sells(self, integration: Integration) -> None:
        await self.shop.definitions.link(PRODUCT, integration.id, 3)
        await self.json("POST", "/v1/marketplaces", {"id": 27, "name": "Acme", "productIds": [PRODUCT]})

    async def connects(self, account: str, **connector: Any) -> int:
        """The account's connector to the integration that is called Test; returns its id."""
        body = {
            "MarketplaceId": 27,
            "Username": f"user@{account}.example",
            "Password": "password",
            "AccountId": account,
            "AccountName": account,
            "PartnerConnector": {"Name": "Test"} | connector,
        }
        await self.json("POST", "/v1.0/users/marketplace", body)
        return int((await self.connectors(account))[0]["Id"])

    async def connectors(self, account: str) -> Any:
        return await self.json("GET", "/account/connectors", **{"X-Cyclr-Account": account})

    async def change(self, account: str, connector_id: int, **changed: Any) -> Any:
        path = f"/v1.0/account/connectors/{connector_id}"
        return await self.json("PUT", path, changed, **{"X-Cyclr-Account": account})

    async def notified(self, integration: Integration, account: str = "A", **more: Any) -> Received:
        """The request that the next event of the account arrives as."""
        before = len(self.shop.host.requests)
        await self.shop.ended(await self.shop.emit(integration, account, **more))
        (request,) = self.shop.host.requests[before:]
        return request

    async def refused(self, integration: Integration, account: str = "A", **more: Any) -> StoredEvent:
        """An event of the account that comes to nothing, with no request made."""
        before = len(self.shop.host.requests)
        ended = await self.shop.ended(await self.shop.emit(integration, account, **more))
        assert len(self.shop.host.requests) == before
        assert (ended.state.status, ended.state.error_code) == (Status.DEAD, "CONFIGURATION_ERROR")
        return ended


@pytest.fixture
async def app(shop: Shop) -> AsyncIterator[HostApplication]:
    admin = {"admin_client_id": ADMIN_ID, "admin_client_secret": SecretStr(ADMIN_SECRET)}
    built = await shop.built_api(**admin)
    mount_marketplace(built)
    async with asking(built) as http:
        form = {"grant_type": "client_credentials"}
        token = await (await http.post("/oauth2/token", data=form, headers=basic(ADMIN_ID, ADMIN_SECRET))).json()
        await shop.work()
        yield HostApplication(shop, http, {"Authorization": f"Bearer {token['access_token']}"})
        await shop.stop_all()


@pytest.fixture
async def second_host() -> AsyncIterator[ProductHost]:
    async with ProductHost() as host:
        yield host


def authorization(request: Received) -> dict[str, str]:
    """Whatever authorizes the request."""
    names = ("Authorization", "X-Api-Key")
    return {name: request.headers[name] for name in names if name in request.headers}
