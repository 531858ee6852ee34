"""Credentials that an account's user types in: tried at the product host first, saved only if they work.

Nothing is saved of what was refused. Credentials of a connector that belongs to no integration are sent nowhere, so
there is nothing to try.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from dispatcher.errors import InvalidRequest, NotFound, Problem, Unprocessable
from dispatcher.flow.connectors.connectors import Connectors
from dispatcher.flow.connectors.draft import ConnectorDraft
from dispatcher.flow.connectors.plan import Plan
from dispatcher.flow.connectors.proof import Proof
from dispatcher.flow.installations.customers import Customer
from dispatcher.flow.installations.states.transitions import Cause, Transitions
from dispatcher.model.authorization import Grant
from dispatcher.model.connector import AccountConnector, ConnectorAuth, ConnectorTemplate, RemoteAccount
from dispatcher.model.deployment import ConnectorAsked
from dispatcher.model.installation import Installation, InstallStep, Moved
from dispatcher.model.ping import CredentialsTried
from dispatcher.policy.installing.rules import Moment, with_steps
from dispatcher.store.audit_log.log import AuditLog, Noting
from dispatcher.store.definitions.pings.trials import AccountTrial, Trial

WAIT_S = 32.0
"""A request to the host may take 30 s; the rest is for the way to the worker and back."""
_NO_WORKER = CredentialsTried(
    False, "TRANSPORT_ERROR", "Nobody could try the credentials at this moment; nothing was saved. Try again."
)


class Trying(Protocol):
    """Has a worker try something out."""

    async def ask(self, trial: Trial, timeout_s: float) -> CredentialsTried | None: ...


@dataclass(frozen=True, slots=True)
class Credentials:
    """Credentials as typed. ``secret`` None = the stored one stays; for Basic the base64 of name, colon, password."""

    kind: ConnectorAuth
    secret: str | None
    properties: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Connecting:
    """One per process."""

    connectors: Connectors
    transitions: Transitions
    trials: Trying
    audit: AuditLog

    async def template(self, name: str, by: Customer) -> ConnectorTemplate | None:
        """The newest template that is meant by that name in the customer's marketplace."""
        return await self.connectors.planner.template(name, by.marketplace)

    async def save(
        self, installation: Installation, connection: str, credentials: Credentials, by: Customer
    ) -> AccountConnector:
        """For the steps of the installation that ask for ``connection``, or for its connector of that name.

        ``Unprocessable`` names the field: a property, or ``AuthValue`` with the host's words.
        """
        now_ms = self.transitions.now_ms()
        plan, current = await self.planned(installation, connection, by)
        asked = _asked(connection, credentials, current)
        draft = ConnectorDraft(self.connectors.sealer, self.connectors.url_rule, plan, asked, now_ms, "")
        try:
            drafted = draft.applied(current or _nobody(by, now_ms), range(len(credentials.properties)))
        except InvalidRequest as error:
            raise Unprocessable([_plain(one) for one in error.problems]) from None
        proof = Proof(await self._account(installation, drafted, current), settled=not installation.draft)
        note = Noting(self.audit, by.author, "connect", now_ms)
        saved = await self.connectors.save(plan, asked, current, by.account.id, by.marketplace.id, now_ms, note, proof)
        await self._connected(installation, connection, saved, by)
        return saved

    async def planned(
        self, installation: Installation, connection: str, by: Customer
    ) -> tuple[Plan, AccountConnector | None]:
        """The connector that there is, and what one of that name follows. ``NotFound`` where nothing asks for one."""
        current = await self._current(installation, connection)
        return await self._plan(installation, connection, current, by), current

    async def save_grant(
        self, installation: Installation, connection: str, grant: Grant, by: Customer
    ) -> AccountConnector:
        """The tokens of an authorization that the user has given."""
        now_ms = self.transitions.now_ms()
        plan, current = await self.planned(installation, connection, by)
        asked = ConnectorAsked(current.name if current else connection, auth_value=grant.access_token)
        note = Noting(self.audit, by.author, "authorize", now_ms)
        proof = Proof(grant.account, grant, settled=not installation.draft)
        saved = await self.connectors.save(plan, asked, current, by.account.id, by.marketplace.id, now_ms, note, proof)
        await self._connected(installation, connection, saved, by)
        return saved

    async def _current(self, installation: Installation, connection: str) -> AccountConnector | None:
        ids = {step.connection_id for step in installation.install if step.connection == connection}
        found = await self.connectors.store.of_account(installation.account_id or "")
        return next((one for one in found if one.connection_id in ids or one.name == connection), None)

    async def _plan(
        self, installation: Installation, connection: str, current: AccountConnector | None, by: Customer
    ) -> Plan:
        planner = self.connectors.planner
        if current is not None:
            return await planner.again(current.template_id, current.integration_id)
        if all(step.connection != connection for step in installation.install):
            raise NotFound.of("not_found", "Nothing here asks for such a connection.", "connection")
        template = await planner.template(connection, by.marketplace)
        if template is None:
            return Plan()
        return await planner.of_template(template)

    async def _account(
        self, installation: Installation, drafted: AccountConnector, current: AccountConnector | None
    ) -> RemoteAccount | None:
        """The account that the host names. ``Unprocessable`` where it refuses.

        A host that names another one than before is asked once more: one that makes names up names a third.
        """
        told = await self._try(installation, drafted)
        if installation.draft or told is None or current is None:
            return told
        if not told.is_another_than(current.remote_account):
            return told
        return told if await self._try(installation, drafted) == told else None

    async def _try(self, installation: Installation, drafted: AccountConnector) -> RemoteAccount | None:
        value = self.connectors.opened(drafted)
        if drafted.integration_id is None or value is None or installation.revision is None:
            return None
        properties = {one.name: one.value for one in drafted.properties}
        kind, account_id = drafted.auth_kind or ConnectorAuth.NONE, drafted.account_id
        account = AccountTrial(installation.revision, account_id, kind, properties, drafted.origins)
        trial = Trial.of_account(drafted.integration_id, account, value, self.connectors.sealer)
        tried = await self.trials.ask(trial, WAIT_S) or _NO_WORKER
        if not tried.success:
            text = tried.message or "The credentials were refused."
            raise Unprocessable.of("credentials_refused", text, "AuthValue")
        return tried.account

    async def _connected(
        self, installation: Installation, connection: str, saved: AccountConnector, by: Customer
    ) -> None:
        """Steps that ask for it know it; one that asks the host nothing is done."""

        def updated(step: InstallStep) -> InstallStep:
            if step.connection != connection:
                return step
            completed = step.completed or not step.installer_function
            return replace(step, connection_id=saved.connection_id, completed=completed)

        def decide(current: Installation, at: Moment) -> Moved:
            return with_steps(current, updated, at)

        if any(step.connection == connection for step in installation.install):
            note = Noting(self.audit, by.author, "connect", self.transitions.now_ms())
            await self.transitions.change(installation.id, decide, Cause(note, by.user.username))


def _asked(connection: str, credentials: Credentials, current: AccountConnector | None) -> ConnectorAsked:
    before = {one.name: one.value for one in current.properties} if current else {}
    properties = before | dict(credentials.properties)
    kind = credentials.kind if credentials.kind in (ConnectorAuth.BASIC, ConnectorAuth.API_KEY) else ConnectorAuth.OAUTH
    return ConnectorAsked(
        current.name if current else connection,
        auth_value=credentials.secret,
        auth_type=kind if credentials.secret is not None else None,
        properties=tuple(properties.items()),
    )


def _nobody(by: Customer, now_ms: int) -> AccountConnector:
    """A connector in the place of none; what is made of it is tried, and not kept."""
    return AccountConnector(0, by.account.id, "", "", "", now_ms, now_ms)


def _plain(problem: Problem) -> Problem:
    return replace(problem, field=(problem.field or "").removeprefix("."))
