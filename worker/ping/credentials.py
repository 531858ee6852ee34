"""Gets one token with credentials that are only tried out, and reports the outcome. Keeps no token."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass, replace

import structlog

from dispatcher.clock import Clock
from dispatcher.errors import DispatcherError, StoreUnavailable
from dispatcher.flow.integrations.fields.transport import open_transport
from dispatcher.model.integration import OutboundCredentials
from dispatcher.model.ping import CredentialsTried
from dispatcher.policy.secrets.redaction import scrub
from dispatcher.store.definitions.pings.trials import Trial, Trials
from dispatcher.store.secrets import fields as sealed_fields
from dispatcher.store.secrets.sealing import Sealer
from worker.http.transport import route_of
from worker.http.transport_sessions import TransportSessions
from worker.oauth.client import TokenClient
from worker.oauth.values import TokenFailure
from worker.ping.account_trial import AccountTrier
from worker.ping.code_trial import CodeRedeemer
from worker.ping.errands import Errands

CANNOT_OPEN = "The worker cannot open the secret: give workers and API the same DISPATCHER_SECRET_KEYS."

log = structlog.get_logger("credentials")


@dataclass(frozen=True, slots=True)
class CredentialTrier:
    """One per worker process."""

    errands: Errands
    trials: Trials
    sealer: Sealer
    sessions: TransportSessions
    clock: Clock
    accounts: AccountTrier
    codes: CodeRedeemer

    async def run(self, trial_id: str) -> None:
        """The job. Whoever asked waits for a few seconds only, so a store that is away is not waited for."""
        with contextlib.suppress(StoreUnavailable):
            trial = await self.trials.take(trial_id)
            if trial is not None:
                async with self.errands.place(trial.integration_id, trial.tenant):
                    await self.trials.answer(trial_id, await self._tried(trial))

    async def _tried(self, trial: Trial) -> CredentialsTried:
        try:
            if trial.account is not None:
                return await self.accounts.tried(trial.integration_id, trial.account)
            if trial.code is not None:
                return await self.codes.redeemed(trial.code)
            credentials = self._opened(trial)
            route = route_of(open_transport(self.sealer, trial.integration_id, trial.transport))
        except DispatcherError:
            log.warning("secret cannot be opened", integration_id=trial.integration_id)
            return CredentialsTried(False, "CONFIGURATION_ERROR", CANNOT_OPEN)
        begun_s = time.perf_counter()
        got = await TokenClient(self.sessions, self.clock).fetch(credentials, route)
        duration_ms = (time.perf_counter() - begun_s) * 1000
        if isinstance(got, TokenFailure):
            hidden = (credentials.client_secret, credentials.private_key)
            return CredentialsTried(False, got.code, scrub(got.detail, hidden), duration_ms)
        lifetime_s = got.expires_at_s - got.issued_at_s
        return CredentialsTried(True, None, f"A token was granted, good for {lifetime_s:.0f} s.", duration_ms)

    def _opened(self, trial: Trial) -> OutboundCredentials:
        sealed, owner = trial.credentials, trial.integration_id
        return replace(
            sealed,
            client_secret=self._open(sealed.client_secret, sealed_fields.client_secret(owner)),
            private_key=self._open(sealed.private_key, sealed_fields.private_key(owner)),
        )

    def _open(self, sealed: str, context: str) -> str:
        return self.sealer.open(sealed, context) if sealed else ""
