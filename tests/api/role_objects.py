"""Objects of two tenants: marketplaces, templates, accounts, connectors, installations. Holds no test."""

from __future__ import annotations

from dispatcher.ids import new_hex24, new_uuid
from dispatcher.model.account import Account
from dispatcher.model.connector import AccountConnector, ConnectorTemplate
from dispatcher.model.installation import Installation, InstallStep, Mode, Standing
from dispatcher.model.marketplace import Marketplace
from dispatcher.store.installations.installed.installations import InstallationStore, Written
from dispatcher.store.installations.parties.accounts import put_account
from dispatcher.store.installations.parties.connectors import put_connector
from dispatcher.store.installations.parties.templates import TemplateStore
from dispatcher.store.installations.writing.editing import Transaction
from dispatcher.store.installations.writing.numbers import next_number
from tests.api.conftest import Api
from tests.api.tenants import Tenant

FIRST_MARKETPLACE = 27


class Shop:
    """One vendor's marketplace, with one account and what is in it. Things that a request deletes are made anew."""

    def __init__(self, api: Api, tenant: Tenant, account_id: str, number: int) -> None:
        self._api = api
        self._tenant = tenant
        self.account_id = account_id
        self.marketplace_id = number

    async def open(self) -> None:
        shop = Marketplace(self.marketplace_id, "Shop", 1, 1, vendor_id=self._tenant.vendor_id, has_accounts=True)
        await self._api.services.marketplaces.create(shop)
        transaction = Transaction(self._api.redis)
        put_account(transaction, Account(self.account_id, "Customer", 1, self.marketplace_id))
        assert await transaction.commit()

    async def template(self) -> str:
        store = TemplateStore(self._api.redis)
        number = await store.next_id()
        made = ConnectorTemplate(number, f"Ledger {number}", "1.0", 1, 1, vendor_id=self._tenant.vendor_id)
        await store.create(made)
        return str(number)

    async def connector(self) -> str:
        transaction = Transaction(self._api.redis)
        number = await next_number(self._api.redis, "connector")
        made = AccountConnector(number, self.account_id, "Ledger", "1.0", new_hex24(), 1, 1)
        await put_connector(transaction, made)
        assert await transaction.commit()
        return str(made.id)

    async def definition(self) -> str:
        """As installed integrations name it."""
        return (await self._api.services.definitions.needed(self._tenant.id)).connector_id

    async def installation(self) -> str:
        """Being installed; its first step asks nobody, so nothing is sent whatever is done with it."""
        integration = await self._api.services.definitions.needed(self._tenant.id)
        made = Installation(
            new_hex24(),
            self.account_id,
            "Ledger",
            1,
            1,
            connector_id=integration.connector_id,
            integration_id=integration.id,
            install=(InstallStep("Connect"), InstallStep("Verify", installer_function="verify")),
            mode=Mode.INSTALL,
            standing=Standing.INSTALLING,
            marketplace_id=self.marketplace_id,
        )
        assert await InstallationStore(self._api.redis, self._api.services.cache.revision).write(
            [Written(None, made)], 1
        )
        return made.id


ABSENT_IDS = {
    "marketplaceId": "99",
    "templateId": "99",
    "connectorId": "99",
    "accountId": new_uuid(),
    "_id": new_hex24(),
    "_connectorId": new_hex24(),
    "function": "verify",
}
