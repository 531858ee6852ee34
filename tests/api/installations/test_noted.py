"""Whatever a request changes about marketplaces, accounts and what is installed is in the audit log."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from dispatcher.model.installation import Standing, Upgrade
from dispatcher.store.installations.installed.installations import InstallationStore, Written
from tests.api.conftest import PRODUCT, Api
from tests.api.installations.embedding import NEW_ACCOUNT, PASSWORD, USERNAME, open_shop, partner_of
from tests.api.installations.samples import account, install, installable

CHANGES = {
    "POST /v1/marketplaces": "createMarketplace",
    "PUT /v1/marketplaces/{marketplaceId}": "changeMarketplace",
    "POST /v1/marketplaces/{marketplaceId}/rotate": "rotateMarketplaceKey",
    "DELETE /v1/marketplaces/{marketplaceId}": "deleteMarketplace",
    "POST /v1/connector-templates": "createConnectorTemplate",
    "PUT /v1/connector-templates/{templateId}": "changeConnectorTemplate",
    "DELETE /v1/connector-templates/{templateId}": "deleteConnectorTemplate",
    "PUT /v1/products/{productId}": "describeProduct",
    "POST /v1.0/users/marketplace": "createMarketplaceSession",
    "POST /v1.0/users/launch": "createLaunchSession",
    "DELETE /v1.0/accounts/{accountId}/sessions": "endSessions",
    "POST /v1.0/connectors/{templateId}/install": "installConnector",
    "PUT /v1.0/account/connectors/{connectorId}": "changeConnector",
    "POST /v1/integrations": "createIntegration",
    "PUT /v1/integrations/{_id}": "changeIntegration",
    "DELETE /v1/integrations/{_id}": "deleteIntegration",
    "POST /v1/integrations/{_id}/clone": "cloneIntegration",
    "POST /v1/integrations/{_id}/upgrade": "upgradeIntegration",
    "DELETE /v1/integrations/{_id}/upgrade": "stayIntegration",
    "DELETE /v1.0/account/connectors/{connectorId}": "deleteConnector",
    "PUT /v1/connectors/{_connectorId}/update": "pushUpdate",
}
"""Each route with the action under which its change is noted."""


async def noted(api: Api) -> set[str]:
    return {one["action"] for one in (await api.json("GET", "/v1/audit?limit=200", 200))["data"]}


async def test_every_change_is_in_the_audit_log(api: Api) -> None:
    integration = await installable(api, PRODUCT)
    await open_shop(api)
    await api.json("PUT", "/v1/marketplaces/27", 200, json={"name": "Acme", "productIds": [PRODUCT]})
    await api.json("POST", "/v1/marketplaces/27/rotate", 200)
    await api.json("PUT", f"/v1/products/{PRODUCT}", 200, json={"name": "Cloud Ledger"})
    await _templates_and_connectors(api)
    customer = await account(api, "A-2")
    made = await install(api, customer, _connectorId=integration.connector_id)
    one = f"/v1/integrations/{made['_id']}"
    await api.json("PUT", one, 200, json=made | {"name": "Renamed"}, headers=customer)
    await api.json("POST", f"{one}/clone", 201, json={}, headers=customer)
    await api.json(
        "PUT", f"/v1/connectors/{integration.connector_id}/update", 200, json={"_integrationIds": [made["_id"]]}
    )
    await _upgraded(api, made["_id"], customer)
    assert (await api.ask("DELETE", one, headers=customer)).status == 204
    await api.json("POST", "/v1/marketplaces", 201, json={"id": 28, "name": "Empty", "productIds": []})
    assert (await api.ask("DELETE", "/v1/marketplaces/28")).status == 204
    assert set(CHANGES.values()) - await noted(api) == set()


async def _upgraded(api: Api, installation_id: str, customer: dict[str, str]) -> None:
    """To a revision that waited, and back from another one."""
    path = f"/v1/integrations/{installation_id}/upgrade"
    for method, upgrade in (("POST", Upgrade(1)), ("DELETE", Upgrade(2, begun=True))):
        store = InstallationStore(api.redis, api.services.cache.revision)
        found = await store.find(installation_id)
        assert found is not None
        stands = replace(
            found.installation,
            standing=Standing.INSTALLED,
            pending_event_id=None,
            update_in_progress=False,
            locked_ms=None,
            revision=0,
            upgrade=upgrade,
        )
        assert await store.write([Written(found, stands)], api.services.now_ms())
        await api.json(method, path, 200, headers=customer)


async def _templates_and_connectors(api: Api) -> None:
    partner = await partner_of(api, 27)
    template = {"name": "Ledger", "version": "1.0", "authType": "ApiKey"}
    made = await api.json("POST", "/v1/connector-templates", 201, json=template)
    path = f"/v1/connector-templates/{made['id']}"
    await api.json("PUT", path, 200, json=template | {"version": "1.1"})
    session = await partner.session(**NEW_ACCOUNT)
    mine: dict[str, Any] = {"X-Cyclr-Account": session["AccountId"]}
    await partner.json("POST", f"/v1.0/connectors/{made['id']}/install", 200, json={"AuthValue": "k"}, headers=mine)
    connector = (await partner.connectors(session["AccountId"]))[0]
    changed = f"/v1.0/account/connectors/{connector['Id']}"
    await partner.json("PUT", changed, 200, json={"AuthValue": "another"}, headers=mine)
    assert (await partner.ask("DELETE", changed, headers=mine)).status == 204
    launch = {"Username": USERNAME, "Password": PASSWORD, "AccountId": session["AccountId"]}
    await partner.json("POST", "/v1.0/users/launch", 200, json=launch)
    assert (await partner.ask("DELETE", f"/v1.0/accounts/{session['AccountId']}/sessions")).status == 204
    assert (await api.ask("DELETE", path)).status in (204, 409)
