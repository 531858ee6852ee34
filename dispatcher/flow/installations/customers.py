"""Use cases of a customer with the apps of the own account, as pages offer them.

Admits nobody: whoever calls has a session, and has looked whether this user may.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from dispatcher.errors import Conflict, NotFound, Unprocessable
from dispatcher.flow.events.acting.redeliver import redeliver
from dispatcher.flow.installations.installer import PAGE, Installer
from dispatcher.flow.installations.making.changing import LOCKED, same
from dispatcher.flow.installations.making.creation import Asked
from dispatcher.flow.installations.states.steps import StepResult
from dispatcher.flow.installations.states.transitions import Cause, Decide
from dispatcher.flow.integrations.products.launch import sign_on_url
from dispatcher.ids import new_installation_id
from dispatcher.model.access import ACCOUNT_SCOPES, Caller
from dispatcher.model.account import Account, User
from dispatcher.model.audit_entry import Author
from dispatcher.model.installation import Installation, Moved, Purchase, Standing
from dispatcher.model.integration import Integration
from dispatcher.model.marketplace import Marketplace
from dispatcher.policy.installing.rules import Moment, order_repeated, removed, settings_changed, uninstalling
from dispatcher.store.audit_log.log import AuditLog, Noting
from dispatcher.store.definitions.cache.definitions import DefinitionCache
from dispatcher.store.installations.installed.installations import message
from dispatcher.store.queue.events import QueueStore


@dataclass(frozen=True, slots=True)
class Customer:
    """Somebody who acts on a page, and the session of that."""

    account: Account
    user: User
    marketplace: Marketplace
    complete_parameter: str | None = None

    @property
    def author(self) -> Author:
        return Author(f"user:{self.user.id}")

    @property
    def caller(self) -> Caller:
        scopes = frozenset(scope.value for scope in ACCOUNT_SCOPES)
        return Caller(f"user:{self.user.id}", scopes, account_id=self.account.id)


@dataclass(frozen=True, slots=True)
class CustomerInstaller:
    """One per process."""

    installer: Installer
    cache: DefinitionCache
    queue: QueueStore
    audit: AuditLog

    async def list(
        self, account_id: str, after: str | None = None, limit: int = PAGE
    ) -> tuple[Sequence[Installation], str | None]:
        """Oldest first, and the id behind which the next page begins; None = there is none."""
        page = await self.installer.list(_of_account(account_id), after or "", limit)
        return page.items, page.after

    async def get(self, account_id: str, installation_id: str) -> Installation:
        """Raises ``NotFound`` also for another account's."""
        return await self.installer.get(_of_account(account_id), installation_id)

    async def install(self, customer: Customer, product_id: str, purchase: Purchase, once: str) -> Installation:
        """A product of the customer's marketplace. The same ``once`` makes one, and so do two customers at once."""
        integration = await self._sold(product_id, customer.marketplace)
        asked = Asked(
            name=integration.name,
            account_id=customer.account.id,
            connector_id=integration.connector_id,
            product_id=product_id,
            purchase=purchase,
            creator=customer.user.username,
            marketplace_id=customer.marketplace.id,
            complete_parameter=customer.complete_parameter,
            exclusive=True,
        )
        installation_id = await self._id_for(customer, once)
        try:
            return await self.installer.create(
                customer.caller, installation_id, asked, self._cause(customer, "install")
            )
        except Conflict:
            made = await self.installer.exclusive(customer.account.id, product_id)
            if made is None:
                raise
            return made

    async def check_step(self, installation: Installation, function: str, by: Customer) -> StepResult:
        """Ask the product host whether the step of that ``installerFunction`` is done."""
        return await self.installer.check_step(by.caller, installation.id, function, self._cause(by, "checkStep"))

    async def save_settings(self, installation: Installation, settings: Any, by: Customer) -> Installation:
        """The host is told of a difference if it has the installation. ``Unprocessable`` during an update."""

        def decide(current: Installation, at: Moment) -> Moved:
            sealed = self.installer.seals.sealed(settings, current.settings, current.id)
            if same(sealed, current.settings):
                return Moved(current)
            if current.update_in_progress:
                raise Unprocessable.of("update_in_progress", LOCKED, "settings")
            return settings_changed(current, replace(current, settings=sealed), at)

        return await self._changed(installation, decide, by, "saveSettings")

    async def upgrade(self, installation: Installation, answers: Mapping[str, Any], by: Customer) -> Installation:
        """To the revision that waits for these answers. ``Conflict`` where none does, ``Unprocessable``."""
        return await self.installer.upgrades.accept(installation, answers, self._cause(by, "upgrade"))

    async def stay(self, installation: Installation, by: Customer) -> Installation:
        """Back to the revision in force, with everything as it was."""
        return await self.installer.upgrades.decline(installation, self._cause(by, "stay"))

    async def uninstall(self, installation: Installation, by: Customer, *, erase: bool = False) -> Installation | None:
        """None = it is gone already; else its steps are being undone. ``erase``: what was stored for it goes, too."""
        leave = partial(uninstalling, erase=erase)
        after = await self.installer.transitions.change(installation.id, leave, self._cause(by, "uninstall"))
        if after is not None:
            self.installer.follower.follow(after)
        return after

    async def remove_anyway(self, installation: Installation, by: Customer) -> None:
        """Without asking the host about steps."""
        await self.installer.transitions.change(installation.id, removed, self._cause(by, "remove"))

    async def retry_order(self, installation: Installation, by: Customer) -> Installation:
        """Send the order that was refused again, under its id."""
        current = await self.get(by.account.id, installation.id)
        stored = await self.queue.get(current.order_event_id) if current.order_event_id else None
        if current.standing is not Standing.REFUSED or stored is None:
            return current
        if stored.state.failed:
            await redeliver(stored.event, self.queue, self.cache)
        return await self._changed(current, lambda one, _: _ordered_again(one), by, "retryOrder")

    async def where_to_open(self, installation: Installation) -> str:
        """The address at which users of the installed revision sign in, or its bookmark.

        Raises ``NotFound`` when it has neither, ``Conflict`` when that is no URL.
        """
        lane, number = installation.integration_id, installation.revision
        revision = await self.cache.revision(lane, number) if lane and number else None
        if revision is None:
            raise NotFound.of("not_found", "Nothing that can be opened is installed here.", "_id")
        return sign_on_url(revision)

    async def changes(self, installation_id: str) -> AsyncIterator[None]:
        """Once for each time that it may have changed, as it happens."""
        fresh, wanted = asyncio.Event(), ("", message(installation_id))
        with self.cache.heard(lambda heard: fresh.set() if heard in wanted else None):
            while True:
                await fresh.wait()
                fresh.clear()
                yield None

    async def _changed(self, installation: Installation, decide: Decide, by: Customer, action: str) -> Installation:
        after = await self.installer.transitions.change(installation.id, decide, self._cause(by, action))
        if after is None:
            return installation
        self.installer.follower.follow(after)
        return after

    async def _sold(self, product_id: str, marketplace: Marketplace) -> Integration:
        product = await self.cache.product(product_id) if product_id in marketplace.product_ids else None
        lane = product.linked_for(marketplace.vendor_id) if product else None
        integration = await self.cache.integration(lane) if lane else None
        if integration is None:
            raise NotFound.of("not_found", "This marketplace has no such product that could be installed.", "productId")
        return integration

    async def _id_for(self, customer: Customer, once: str) -> str:
        fresh_id = new_installation_id(self.installer.transitions.now_ms())
        digest = hashlib.sha256(once.encode()).hexdigest()
        bound = await self.queue.reserve(customer.caller.client_id, f"install\n{digest}", digest, fresh_id)
        return bound.event_id

    def _cause(self, by: Customer, action: str) -> Cause:
        at_ms = self.installer.transitions.now_ms()
        return Cause(Noting(self.audit, Author(by.caller.client_id), action, at_ms), by.user.username)


def _of_account(account_id: str) -> Caller:
    return Caller("page", frozenset(), account_id=account_id)


def _ordered_again(installation: Installation) -> Moved:
    return order_repeated(installation) if installation.standing is Standing.REFUSED else Moved(installation)
