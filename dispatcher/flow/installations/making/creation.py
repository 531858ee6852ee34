"""Makes installations: from what somebody asks for, or as a clone. Checks all of it first, and sends nothing itself.

Steps come from the installed revision's template; those of a client count only where it has none.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from dispatcher.errors import Problem, Unprocessable
from dispatcher.flow.installations.making.partner_connectors import PartnerConnectors
from dispatcher.flow.installations.making.setting_seals import SettingSeals
from dispatcher.flow.installations.states.transitions import Cause, Transitions
from dispatcher.model.effect import is_update
from dispatcher.model.installation import Installation, InstallStep, Mode, Purchase, Standing
from dispatcher.model.integration import Integration, Revision
from dispatcher.policy.installing.purchase_forms import answer_problems
from dispatcher.policy.installing.rules import begun
from dispatcher.policy.installing.steps import opened, reconnected
from dispatcher.store.definitions.cache.definitions import DefinitionCache
from dispatcher.store.queue.events import QueueStore

NOTHING_BOUGHT = Purchase()


class Accounts(Protocol):
    """Knows the accounts, and what was installed there."""

    async def settings_before(self, account_id: str, product_id: str) -> Any:
        """Settings, without secrets, of what the account had once; None = there are none."""

    async def marketplace_of(self, account_id: str) -> int | None:
        """The one that it was made in; None = nobody here knows the account."""

    async def is_apart(self, account_id: str, vendor_id: str | None) -> bool:
        """True of an account that that vendor must not learn anything of."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An installation as somebody wants it. ``connector_id`` None: a DIY integration, with a name and texts only."""

    name: str
    account_id: str | None = None
    connector_id: str | None = None
    product_id: str | None = None
    readme: str | None = None
    description: str | None = None
    version: str | None = None
    settings: Any = None
    install: tuple[InstallStep, ...] = ()
    purchase: Purchase = NOTHING_BOUGHT
    creator: str | None = None
    marketplace_id: int | None = None
    complete_parameter: str | None = None
    source_id: str | None = None
    exclusive: bool = False
    """One of its product in the account, as pages install it."""
    vendor_id: str | None = None
    """Of whoever asks, if that is a vendor."""
    apart: bool = False
    unknown: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cloning:
    """Differences between an installation and its clone."""

    name: str | None = None
    connections: dict[str, str] = field(default_factory=dict)


class Creation:
    """One per process."""

    def __init__(
        self,
        transitions: Transitions,
        cache: DefinitionCache,
        queue: QueueStore,
        accounts: Accounts,
        partners: PartnerConnectors,
        seals: SettingSeals,
    ) -> None:
        self._queue = queue
        self._transitions = transitions
        self._cache = cache
        self._accounts = accounts
        self._partners = partners
        self.seals = seals

    async def create(
        self, installation_id: str, asked: Asked, integration: Integration | None, cause: Cause
    ) -> Installation:
        """Under that id. ``integration``: the definition that ``connector_id`` names; None = nobody here knows one.

        Raises ``Unprocessable`` with everything that is wrong, ``Conflict`` when the id is taken.
        """
        revision = await self._published(integration)
        await self._refuse_locked(integration, asked.account_id)
        product_id = _product(integration, asked.product_id)
        if problems := _purchase_problems(revision, asked.purchase):
            raise Unprocessable(problems)
        asked = replace(asked, product_id=product_id)
        if integration is not None and asked.account_id is not None:
            asked = await self._at_home(asked, asked.account_id, integration)
        return await self._made(installation_id, asked, integration, revision, cause)

    async def _at_home(self, asked: Asked, account_id: str, integration: Integration) -> Asked:
        """With what is known of the account here, unless that is not for the vendor who asks."""
        if await self._accounts.is_apart(account_id, asked.vendor_id):
            return replace(asked, apart=True)
        if asked.marketplace_id is None:
            asked = replace(asked, marketplace_id=await self._accounts.marketplace_of(account_id))
        if asked.settings is not None:
            return asked
        before = await self._accounts.settings_before(account_id, asked.product_id or integration.id)
        return replace(asked, settings=before)

    async def clone(self, installation_id: str, source: Installation, cloning: Cloning, cause: Cause) -> Installation:
        """With the same steps, all of them open but those that a partner connector completes."""
        steps = reconnected(opened(source.install), cloning.connections)
        name = cloning.name or source.name
        now_ms = self._transitions.now_ms()
        clone = Installation(
            id=installation_id,
            account_id=source.account_id,
            name=name,
            created_ms=now_ms,
            modified_ms=now_ms,
            readme=source.readme,
            description=source.description,
            connector_id=source.connector_id,
            integration_id=source.integration_id,
            product_id=source.product_id,
            revision=source.revision,
            install=await self._partners.completed(source.known_account_id, steps),
            apart=source.apart,
            settings=self.seals.copied(source.settings, source.id, installation_id),
            version=source.version,
            source_id=source.id,
            purchase=source.purchase,
            marketplace_id=source.marketplace_id,
            creator=cause.user or source.creator,
            unknown=source.unknown,
        )
        return await self._transitions.create(clone, begun, cause)

    async def _made(
        self,
        installation_id: str,
        asked: Asked,
        integration: Integration | None,
        revision: Revision | None,
        cause: Cause,
    ) -> Installation:
        now_ms = self._transitions.now_ms()
        template = revision.install_template if revision else ()
        made = Installation(
            id=installation_id,
            account_id=asked.account_id,
            name=asked.name,
            created_ms=now_ms,
            modified_ms=now_ms,
            readme=asked.readme,
            description=asked.description,
            unknown=asked.unknown,
            apart=asked.apart,
        )
        if asked.connector_id is not None:
            made = replace(
                made,
                connector_id=asked.connector_id,
                integration_id=integration.id if integration else None,
                product_id=asked.product_id,
                revision=revision.number if revision else None,
                install=await self._partners.completed(made.known_account_id, opened(template or asked.install)),
                mode=Mode.INSTALL,
                standing=Standing.INSTALLING,
                settings=self.seals.sealed(asked.settings, None, installation_id),
                version=asked.version,
                source_id=asked.source_id,
                purchase=asked.purchase,
                marketplace_id=asked.marketplace_id,
                complete_parameter=asked.complete_parameter,
                creator=asked.creator,
                exclusive=asked.exclusive,
            )
        return await self._transitions.create(made, begun, cause)

    async def _refuse_locked(self, integration: Integration | None, account_id: str | None) -> None:
        """While an update of it is in progress in the account, what is ordered would wait for its end."""
        if integration is None or account_id is None:
            return
        if any(is_update(one) for one in await self._queue.holders(integration.id, account_id)):
            text = "A managed update of this integration is in progress in the account: install when that is done."
            raise Unprocessable.of("update_in_progress", text, "_connectorId")

    async def _published(self, integration: Integration | None) -> Revision | None:
        if integration is None:
            return None
        number = integration.published_revision
        revision = await self._cache.revision(integration.id, number) if number else None
        if revision is None:
            text = "This integration is not published, so it cannot be installed: publish it first."
            raise Unprocessable.of("not_published", text, "_connectorId")
        return revision


def _product(integration: Integration | None, wanted: str | None) -> str | None:
    """The product that is installed: the one named, or the integration's only one."""
    if integration is None:
        return wanted
    linked = integration.linked_products
    if wanted is not None:
        if wanted not in linked:
            text = "This product is not linked to the integration; link it, or name one that is."
            raise Unprocessable.of("product_not_linked", text, "productId")
        return wanted
    if len(linked) > 1:
        text = f"This integration has several products: name one of {', '.join(linked[:20])}."
        raise Unprocessable.of("missing_field", text, "productId")
    return linked[0] if linked else None


def _purchase_problems(revision: Revision | None, purchase: Purchase) -> list[Problem]:
    if revision is None:
        return []
    required = revision.order_require_form_fields
    return answer_problems(revision.order_form_fields, purchase.configuration, required=required)
