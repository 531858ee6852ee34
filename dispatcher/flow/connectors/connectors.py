"""Connectors of accounts: deployed with a session, installed from a template, changed. Never sends anything."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from dispatcher.errors import InvalidRequest, NotFound, Refused, Unprocessable
from dispatcher.flow.connectors.draft import ConnectorDraft
from dispatcher.flow.connectors.plan import ConnectorPlanner, Plan
from dispatcher.flow.connectors.proof import Proof
from dispatcher.flow.connectors.reauthentication import MAX_INSTALLATIONS, Reauthentication
from dispatcher.flow.installations.making.changing import LOCKED
from dispatcher.flow.integrations.fields.kind import UrlRule
from dispatcher.ids import new_hex24
from dispatcher.model.connector import AccountConnector, ConnectorAuth, ConnectorTemplate
from dispatcher.model.deployment import ConnectorAsked
from dispatcher.policy.addresses.url_properties import names_a_host
from dispatcher.store.audit_log.log import Noting
from dispatcher.store.documents.swap import Document
from dispatcher.store.installations.parties.binding import mark_bound
from dispatcher.store.installations.parties.connectors import (
    MAX_CONNECTORS,
    ConnectorStore,
    connector_place,
    entries_place,
    put_connector,
)
from dispatcher.store.installations.parties.templates import TemplateStore
from dispatcher.store.installations.writing.editing import Transaction, transacted
from dispatcher.store.installations.writing.numbers import next_number
from dispatcher.store.keys import installations as keys
from dispatcher.store.secrets.fields import connector_auth_value
from dispatcher.store.secrets.sealing import Sealer

_SHOWN_AS: dict[ConnectorAuth, ConnectorAuth | None] = {
    ConnectorAuth.OAUTH2: ConnectorAuth.OAUTH,
    ConnectorAuth.NONE: None,
}
"""Kinds that only templates have, as host applications know them."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A connector as somebody may see it. ``auth_value``: in clear, or a mask, or None = it has none."""

    connector: AccountConnector
    template: ConnectorTemplate | None

    @property
    def auth_type(self) -> ConnectorAuth | None:
        """The kind of its AuthValue where it is fixed: by its template, else by whoever gave it. None = inferred."""
        fixed = self.template.auth_type if self.template else None
        return _SHOWN_AS.get(fixed, fixed) if fixed else self.connector.auth_type

    @property
    def partner(self) -> bool:
        """True if it was, or could be, deployed with a session: a template says so for all that follow it."""
        return self.template.native if self.template else self.connector.partner


class Connectors:
    """One per process."""

    def __init__(
        self,
        store: ConnectorStore,
        templates: TemplateStore,
        planner: ConnectorPlanner,
        sealer: Sealer,
        url_rule: UrlRule,
        reauthentication: Reauthentication,
    ) -> None:
        self._installations = reauthentication.installations
        self._reauthentication = reauthentication
        self.store = store
        self.planner = planner
        self._templates = templates
        self.sealer = sealer
        self.url_rule = url_rule

    async def of_account(self, account_id: str) -> list[Seen]:
        """Every connector of the account, lowest id first."""
        return [await self.seen(one) for one in await self.store.of_account(account_id)]

    async def seen(self, connector: AccountConnector) -> Seen:
        template_id = connector.template_id
        return Seen(connector, await self._templates.find(template_id) if template_id is not None else None)

    async def get(self, account_id: str, connector_id: int) -> AccountConnector:
        """``NotFound`` also for another account's."""
        found = await self.store.get(connector_id)
        if found is None or found.account_id != account_id:
            raise _no_such_connector(connector_id)
        return found

    def opened(self, connector: AccountConnector) -> str | None:
        """The AuthValue in clear."""
        if not connector.auth_value:
            return None
        return self.sealer.open(connector.auth_value, connector_auth_value(connector.id))

    async def deploy(
        self,
        transaction: Transaction,
        plan: Plan,
        asked: ConnectorAsked,
        account_id: str,
        marketplace_id: int,
        now_ms: int,
    ) -> AccountConnector:
        """As a part of the change that makes the session: the account's connector of that name, made or changed."""
        entries = await transaction.read(entries_place(account_id)) or []
        known = next((one[0] for one in entries if one[1] == asked.name), None)
        current = await transaction.read(connector_place(known)) if known is not None else None
        if current is None:
            self._require_room(entries)
            current = await self._blank(account_id, asked, now_ms, partner=True, marketplace_id=marketplace_id)
            transaction.operate(*await self._installations.looked_at_again(account_id, now_ms))
        return await self._put(transaction, plan, asked, current, now_ms, "PartnerConnector")

    async def install(
        self, template: ConnectorTemplate, asked: ConnectorAsked, account_id: str, now_ms: int, noting: Noting
    ) -> AccountConnector:
        """A further connector from a template, whatever others there are of its name."""
        plan = await self.planner.of_template(template)

        async def work(transaction: Transaction) -> AccountConnector:
            self._require_room(await transaction.read(entries_place(account_id)) or [])
            blank = await self._blank(account_id, asked, now_ms, partner=False)
            if template.native:
                transaction.operate(*await self._installations.looked_at_again(account_id, now_ms))
            return await self._put(transaction, plan, asked, blank, now_ms, "")

        return await transacted(self.store.redis, work, f"Account {account_id}", noting)

    async def change(
        self,
        account_id: str,
        connector_id: int,
        change: Callable[[AccountConnector], ConnectorAsked],
        now_ms: int,
        noting: Noting,
        *,
        by_user: bool,
    ) -> AccountConnector:
        """Make ``change`` of the newest state.

        ``by_user``: what names a host is not theirs to change, nor any property during a managed update.
        """
        before = await self.get(account_id, connector_id)
        plan = await self.planner.again(before.template_id, before.integration_id)

        async def work(transaction: Transaction) -> AccountConnector:
            current = await transaction.read(connector_place(connector_id))
            if current is None:
                raise _no_such_connector(connector_id)
            asked = change(current)
            if by_user:
                _require_same_hosts(current, asked, plan.urls)
                await self._require_unlocked(transaction, current, asked)
            return await self._put(transaction, plan, asked, current, now_ms, "")

        changed = await transacted(self.store.redis, work, f"Connector {connector_id}", noting)
        await self._reauthentication.applied(connector_id)
        return changed

    async def save(
        self,
        plan: Plan,
        asked: ConnectorAsked,
        known: AccountConnector | None,
        account_id: str,
        marketplace_id: int,
        now_ms: int,
        noting: Noting,
        proof: Proof,
    ) -> AccountConnector:
        """A user's own: the connector ``known``, or a new one. What names a host is not theirs to say."""

        async def work(transaction: Transaction) -> AccountConnector:
            current = await transaction.read(connector_place(known.id)) if known else None
            if current is None:
                self._require_room(await transaction.read(entries_place(account_id)) or [])
                current = await self._blank(account_id, asked, now_ms, partner=False, marketplace_id=marketplace_id)
            _require_same_hosts(current, asked, plan.urls)
            await self._require_unlocked(transaction, current, asked)
            return await self._put(transaction, plan, asked, current, now_ms, "", proof)

        saved = await transacted(self.store.redis, work, f"Account {account_id}", noting)
        await self._reauthentication.applied(saved.id)
        return saved

    async def _put(
        self,
        transaction: Transaction,
        plan: Plan,
        asked: ConnectorAsked,
        current: AccountConnector,
        now_ms: int,
        field: str,
        proof: Proof | None = None,
    ) -> AccountConnector:
        draft = ConnectorDraft(self.sealer, self.url_rule, plan, asked, now_ms, field)
        connector = draft.applied(current, await self._property_ids(current, asked))
        if proof is not None:
            connector = proof.of(current, connector, self.sealer)
        if connector.integration_id and connector.integration_id != current.integration_id:
            await mark_bound(self.store.redis, transaction, connector.integration_id)
        renewed = await self._reauthentication.renewed(transaction, current, connector)
        await put_connector(transaction, renewed)
        return renewed

    async def _blank(
        self, account_id: str, asked: ConnectorAsked, now_ms: int, *, partner: bool, marketplace_id: int | None = None
    ) -> AccountConnector:
        return AccountConnector(
            await next_number(self.store.redis, "connector"),
            account_id,
            asked.name,
            "",
            new_hex24(),
            now_ms,
            now_ms,
            partner=partner,
            marketplace_id=marketplace_id,
        )

    async def _property_ids(self, current: AccountConnector, asked: ConnectorAsked) -> range:
        new = {name for name, _ in asked.properties or ()} - {one.name for one in current.properties}
        if not new:
            return range(0)
        first = await next_number(self.store.redis, "property", len(new))
        return range(first, first + len(new))

    async def _require_unlocked(
        self, transaction: Transaction, current: AccountConnector, asked: ConnectorAsked
    ) -> None:
        """``Unprocessable`` for a changed property while what is installed through the connector is being updated."""
        before = {one.name: one.value for one in current.properties}
        if current.integration_id is None or asked.properties is None or dict(asked.properties) == before:
            return
        index = keys.installations_of_account(current.account_id)
        for one in await self._installations.several(await self._installations.ids([index], "", MAX_INSTALLATIONS)):
            if one.installation.integration_id != current.integration_id:
                continue
            if one.installation.update_in_progress:
                raise Unprocessable.of("update_in_progress", LOCKED, "Properties")
            transaction.write_raw(Document(keys.installation(one.installation.id), one.record, one.record))

    def _require_room(self, entries: list[tuple[int, str, str | None]]) -> None:
        if len(entries) >= MAX_CONNECTORS:
            text = f"An account may have {MAX_CONNECTORS} connectors: use one that it has."
            raise InvalidRequest.of("limit_reached", text, "PartnerConnector.Name")


def _require_same_hosts(current: AccountConnector, asked: ConnectorAsked, urls: Iterable[str]) -> None:
    if asked.properties is None:
        return
    before, after = {one.name: one.value for one in current.properties}, dict(asked.properties)
    for name in {*before, *after}:
        if before.get(name) != after.get(name) and names_a_host(name, urls):
            text = f"The property {name!r} decides where credentials go: ask whoever runs this marketplace."
            raise Refused.of("property_not_yours", text, "Properties")


def _no_such_connector(connector_id: int) -> NotFound:
    return NotFound.of("not_found", f"There is no connector {connector_id} in this account.", "Id")
