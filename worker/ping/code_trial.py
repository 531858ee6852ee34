"""Redeems an authorization code for whoever came back with it, and hands the tokens over sealed. Keeps none."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import orjson

from dispatcher.model.ping import CredentialsTried
from dispatcher.store.definitions.pings.trials import CodeTrial
from dispatcher.store.installations.parties.templates import TemplateStore
from dispatcher.store.secrets.passing import trial_grant, trial_value
from dispatcher.store.secrets.sealing import Sealer
from worker.oauth.grants import GrantClient
from worker.oauth.renewal import opened_application
from worker.oauth.values import TokenFailure

GONE = "This kind of connection is no longer offered; nothing was saved."


@dataclass(frozen=True, slots=True)
class CodeRedeemer:
    """One per worker process."""

    templates: TemplateStore
    client: GrantClient
    sealer: Sealer

    async def redeemed(self, trial: CodeTrial) -> CredentialsTried:
        """Raises ``SealError`` where something cannot be opened."""
        owner = str(trial.template_id)
        template = await self.templates.find(trial.template_id)
        if template is None or template.oauth is None:
            return CredentialsTried(False, "CONFIGURATION_ERROR", GONE)
        application = opened_application(self.sealer, template.id, template.oauth)
        code, verifier = (self.sealer.open(one, trial_value(owner)) for one in (trial.code, trial.verifier))
        grant = await self.client.redeem(application, code, verifier, trial.redirect_uri)
        if isinstance(grant, TokenFailure):
            return CredentialsTried(False, grant.code, f"The authorization was not completed: {grant.detail}.")
        sealed = self.sealer.seal(orjson.dumps(asdict(grant)).decode(), trial_grant(owner))
        return CredentialsTried(True, sealed_grant=sealed)
