"""Tries an account's credentials out: one STATELESS order to the product host, with what the account would send.

Leaves nothing in the list of events, and keeps neither the value nor a token.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace

from dispatcher.clock import Clock
from dispatcher.flow.pings.event import ping_event, ping_state
from dispatcher.model.attempt import Outcome
from dispatcher.model.connector import RemoteAccount
from dispatcher.model.event_type import TYPE_RULES, EventType
from dispatcher.model.ping import CredentialsTried
from dispatcher.policy.installing.account_access import AccountAccess, approach
from dispatcher.policy.installing.connector_auth import auth_header
from dispatcher.policy.secrets.redaction import scrub
from dispatcher.store.definitions.editing import Definitions
from dispatcher.store.definitions.pings.trials import AccountTrial
from dispatcher.store.queue.owning.claims import Claimed
from dispatcher.store.secrets.passing import trial_value
from dispatcher.store.secrets.sealing import Sealer
from worker.delivery.deliver import hidden
from worker.delivery.delivery import Delivery, Identity, Reading
from worker.delivery.sending import Sender
from worker.delivery.targets.lookup import Targets
from worker.delivery.targets.target import Target
from worker.http.transport_sessions import TransportSessions
from worker.ping.tokens import fresh_tokens

PASSING = frozenset({Outcome.OK, Outcome.ACCEPTED})
GONE = "The app is no longer offered in this version; nothing was tried."
_REFUSALS = frozenset({401, 403})
REFUSED = "The app refuses these credentials."
AWAY = "The app does not answer at this moment, so the credentials could not be tried: try again later."


@dataclass(frozen=True, slots=True)
class AccountTrier:
    """One per worker process."""

    definitions: Definitions
    targets: Targets
    sessions: TransportSessions
    sealer: Sealer
    identity: Identity
    clock: Clock

    async def tried(self, integration_id: str, trial: AccountTrial) -> CredentialsTried:
        """Raises ``SealError`` where the value cannot be opened."""
        integration = await self.definitions.integration(integration_id)
        revision = await self.definitions.revision(integration_id, trial.revision) if integration else None
        if integration is None or revision is None:
            return CredentialsTried(False, "CONFIGURATION_ERROR", GONE)
        target = self.targets.get(integration, revision)
        value = self.sealer.open(trial.value, trial_value(integration_id))
        delivery = self._delivery(target, trial, value)
        if not delivery.url:
            return CredentialsTried(True, message="The app takes no orders, so there was nothing to try.")
        tokens = fresh_tokens(self.sessions, self.clock)
        try:
            reading = await Sender(self.sessions, tokens, self.identity, self.clock).send(delivery)
        finally:
            await tokens.close()
        return _told(delivery, reading)

    def _delivery(self, target: Target, trial: AccountTrial, value: str) -> Delivery:
        now_ms = self.clock.now_ms()
        event = ping_event(target.integration, target.revision.number, EventType.SUBSCRIPTION_ORDER)
        claimed = Claimed(event._replace(account_id=trial.account_id), ping_state(now_ms), n=1, account_identifier=None)
        url = target.revision.urls.get(TYPE_RULES[event.type].url_field) or ""
        delivery = Delivery(claimed, target, url, now_ms, time.perf_counter())
        if url:
            header = auth_header(trial.kind, value)
            access = AccountAccess(0, trial.properties, header, value, "", frozenset(trial.origins))
            way = delivery.approach = approach(access, url)
            delivery.url, delivery.elsewhere = way.url, way.own_host
        return delivery


def _told(delivery: Delivery, reading: Reading) -> CredentialsTried:
    """In words for the account's user."""
    verdict, duration_ms = reading.verdict, (time.perf_counter() - delivery.begun_s) * 1000
    tried = CredentialsTried(verdict.outcome in PASSING, verdict.error_code, None, duration_ms)
    if tried.success:
        return replace(tried, account=_account(verdict.account_identifier, hidden(delivery, reading)))
    said = scrub(verdict.message, hidden(delivery, reading)) if verdict.message else ""
    if verdict.outcome is Outcome.REFUSED:
        return replace(tried, message=said or REFUSED)
    if reading.http_status in _REFUSALS:
        return replace(tried, message=REFUSED)
    return replace(tried, message=said if verdict.outcome is Outcome.CONFIGURATION_ERROR else AWAY)


def _account(identifier: str | None, secrets: Iterable[str]) -> RemoteAccount | None:
    """None also where the name repeats a secret: names are shown."""
    if identifier is None or scrub(identifier, secrets) != identifier:
        return None
    return RemoteAccount(identifier)
