"""The documented examples of /v1/integrations, word for word, and what tests make of them."""

from __future__ import annotations

import json
from typing import Any

from dispatcher.model.installation import InstallStep
from dispatcher.model.integration import Integration, OrderFormField, Revision
from tests.api.conftest import Api, publish

SMART = json.loads(
    """{
    "_id": "123ab456c789de1011fg12h13i",
    "lastModified": "2017-09-15T10:55:15.675Z",
    "name": "BigCommerce - NetSuite Connector",
    "_connectorId": "56fd5ad0945g2345c4e678aca76",
    "install": [
        {
            "name": "NetSuite Connection",
            "description": "Configure NetSuite account credentials",
            "imageURL": "/images/company-logos/netsuite.png",
            "completed": false,
            "installerFunction": "verifyNetSuiteConnection",
            "uninstallerFunction": "deleteNetSuiteConnection",
            "_connectionId": "56fd5ad0945g2345c4e678aca76"
        },
        {
            "name": "BigCommerce Connection",
            "description": "Configure BigCommerce store credentials",
            "imageURL": "/images/company-logos/BigCommerce.png",
            "completed": false,
            "installerFunction": "verifyBigCommerceConnection",
            "uninstallerFunction": "deleteBigCommerceConnection",
            "_connectionId": "56fd5ad0945g2345c4e678aca76"
        },
        {
            "name": "Integrator Bundle",
            "description": "Install Integrator Bundle in NetSuite",
            "imageURL": "/images/company-logos/netsuite.png",
            "installURL": "",
            "completed": false,
            "installerFunction": "verifyIntegratorBundleInstallation",
            "uninstallerFunction": "uninstallVerifyIntegratorBundle"
        },
        {
            "name": "BigCommerce Bundle",
            "description": "Install BigCommerce Bundle in NetSuite",
            "imageURL": "/images/company-logos/netsuite.png",
            "installURL": "",
            "completed": false,
            "installerFunction": "verifyBigCommerceBundleInstallation",
            "uninstallerFunction": "uninstallVerifyBigCommerceBundle"
        }
    ],
    "mode": "install",
    "settings": {
        "sections": [
            {
                "temp": "remove_me"
            }
        ],
        "commonresources": {
            "genericExportApiIdentifier": "e7654358b7",
            "bigcommerceConnectionId": "56fd5ad09a67g564e678aca76",
            "netsuiteConnectionId": "56fd5ad09a67g56412gh23a5"
        }
    },
    "version": "1.0.1"
}"""
)

DIY = {"name": "Licensing and Usage", "readme": "This integration is mission critical and keeps the licensing data..."}
ALL = "/v1/integrations"
STEPS = (
    InstallStep("Connection", installer_function="verifyConnection", uninstaller_function="deleteConnection"),
    InstallStep("Bundle", installer_function="verifyBundle", uninstaller_function="deleteBundle"),
)


async def account(api: Api, account_id: str = "A-1") -> dict[str, str]:
    """Headers of a client that is bound to an account."""
    return await api.bearer_of_new("installations:read", "installations:write", "events:read", account_id=account_id)


async def installable(
    api: Api,
    *products: str,
    steps: tuple[InstallStep, ...] = (),
    fields: tuple[OrderFormField, ...] = (),
    urls: dict[str, str] | None = None,
) -> Integration:
    """A published integration that can be installed."""
    names = ("createUrl", "upgradeUrl", "cancelUrl")
    revision = Revision(
        urls=urls if urls is not None else {name: f"https://host.example/{name}" for name in names},
        install_template=steps,
        order_form_fields=fields,
        order_require_form_fields=bool(fields),
    )
    return await publish(api.services, revision, products=products)


async def install(api: Api, headers: dict[str, str], expected: int = 201, **fields: Any) -> Any:
    return await api.json("POST", ALL, expected, json={"name": "Installed"} | fields, headers=headers)


async def events_of(api: Api, account_id: str = "A-1") -> list[Any]:
    """Oldest first."""
    found = await api.json("GET", f"/v1/events?accountId={account_id}", 200)
    return list(reversed(found["data"]))
