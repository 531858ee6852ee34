"""Lets a user authorize at a product's own authorization server; the tokens become the connector's AuthValue.

The way back is good for one browser session, once, within 10 minutes. A worker redeems the code; nothing is kept of it.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

import orjson

from dispatcher.errors import NotFound, Problem, RequestError, Unprocessable
from dispatcher.flow.connectors.connecting import Connecting
from dispatcher.flow.installations.customers import Customer
from dispatcher.flow.installations.installer import Installer
from dispatcher.model.authorization import Grant, PendingAuthorization
from dispatcher.model.connector import AccountConnector, ConnectorAuth
from dispatcher.model.installation import Installation
from dispatcher.policy.installing.authorization_request import authorization_url
from dispatcher.store.definitions.pings.trials import CodeTrial, Trial
from dispatcher.store.installations.parties.authorizations import AuthorizationStore
from dispatcher.store.secrets.passing import trial_grant, trial_value

WAIT_S = 14.0
_NOBODY = "Nobody could finish the authorization at this moment; nothing was saved. Try again."


@dataclass(frozen=True, slots=True)
class Authorized:
    """The place that the user set out from."""

    installation: Installation
    connector: AccountConnector


@dataclass(frozen=True, slots=True)
class Authorizing:
    """One per process. ``redirect_uri``: the address that users come back to, as applications are registered with."""

    connecting: Connecting
    installer: Installer
    store: AuthorizationStore
    redirect_uri: str

    async def begin(self, installation: Installation, connection: str, session: str, by: Customer) -> str:
        """The address to send the user to. ``NotFound`` where nothing of this kind is asked for."""
        plan, _ = await self.connecting.planned(installation, connection, by)
        template = plan.template
        if template is None or template.oauth is None or template.auth_type is not ConnectorAuth.OAUTH2:
            raise NotFound.of("not_found", "This connection is not authorized in this way.", "connection")
        state, verifier = f"{by.marketplace.id}.{secrets.token_urlsafe(32)}", secrets.token_urlsafe(48)
        sealer = self.connecting.connectors.sealer
        pending = PendingAuthorization(
            by.account.id,
            by.user.id,
            by.marketplace.id,
            installation.id,
            connection,
            template.id,
            session,
            sealer.seal(verifier, trial_value(str(template.id))),
            self.redirect_uri,
        )
        await self.store.put(state, pending)
        return authorization_url(template.oauth, state, verifier, self.redirect_uri)

    async def complete(self, state: str, code: str | None, error: str | None, session: str, by: Customer) -> Authorized:
        """Take what the user comes back with. ``Unprocessable`` says what went wrong; nothing is saved then."""
        pending = await self.store.take(state)
        if pending is None or not _is_of(pending, session, by):
            text = "This authorization was not begun here, or is over: begin it again."
            raise Unprocessable.of("authorization_over", text, "state")
        installation = await self.installer.get(by.caller, pending.installation_id)
        if not code:
            text = f"The authorization was not given ({(error or 'no code')[:100]}); nothing was saved."
            raise Unprocessable.of("authorization_refused", text, "code")
        grant = await self._redeemed(pending, code)
        saved = await self.connecting.save_grant(installation, pending.connection, grant, by)
        return Authorized(installation, saved)

    async def _redeemed(self, pending: PendingAuthorization, code: str) -> Grant:
        sealer, owner = self.connecting.connectors.sealer, str(pending.template_id)
        sealed = sealer.seal(code, trial_value(owner))
        trial = Trial(owner, code=CodeTrial(pending.template_id, sealed, pending.verifier, pending.redirect_uri))
        tried = await self.connecting.trials.ask(trial, WAIT_S)
        if tried is None:
            raise RequestError([Problem("unavailable", _NOBODY)], 503, {"Retry-After": "1"})
        if not tried.success or tried.sealed_grant is None:
            text = tried.message or "The authorization could not be finished."
            raise Unprocessable.of("authorization_refused", text, "code")
        return Grant(**orjson.loads(sealer.open(tried.sealed_grant, trial_grant(owner))))


def marketplace_of_state(state: str) -> int | None:
    """The marketplace in which whoever has this state set out; nothing relies on it."""
    number = state.partition(".")[0]
    return int(number) if number.isascii() and number.isdigit() and len(number) < 11 else None


def _is_of(pending: PendingAuthorization, session: str, by: Customer) -> bool:
    mine = (by.account.id, by.user.id, by.marketplace.id)
    same = (pending.account_id, pending.user_id, pending.marketplace_id) == mine
    return same and secrets.compare_digest(pending.session.encode(), session.encode())
