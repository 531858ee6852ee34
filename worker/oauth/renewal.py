"""Renews the access tokens of connectors before they expire: one process at a time, for as many as wait."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace

import structlog

from dispatcher.clock import Clock
from dispatcher.errors import StoreUnavailable
from dispatcher.flow.connectors.renewing import Renewals
from dispatcher.ids import new_uuid
from dispatcher.model.connector import AccountConnector, OAuthApplication
from dispatcher.store.installations.parties.connectors import ConnectorStore
from dispatcher.store.installations.parties.templates import TemplateStore
from dispatcher.store.secrets.fields import connector_refresh_token, template_client_secret
from dispatcher.store.secrets.sealing import Sealer
from dispatcher.store.secrets.tokens import TokenStore
from worker.oauth.answer import CONFIGURATION_ERROR, UNAUTHORIZED
from worker.oauth.grants import GrantClient
from worker.oauth.values import TokenFailure

FINAL = frozenset({UNAUTHORIZED, CONFIGURATION_ERROR})
"""Failures that no repeat mends: the user has to authorize again."""
POLL_S = 0.05
MAX_WAIT_S = 10.0

log = structlog.get_logger("tokens")


@dataclass(slots=True)
class Renewer:
    """One per process."""

    connectors: ConnectorStore
    templates: TemplateStore
    tokens: TokenStore
    client: GrantClient
    renewals: Renewals
    sealer: Sealer
    clock: Clock
    _flights: dict[int, asyncio.Task[AccountConnector | TokenFailure]] = field(default_factory=dict)

    async def renewed(self, connector: AccountConnector) -> AccountConnector | TokenFailure:
        """The connector with a token that is not the one that ``connector`` has."""
        flight = self._flights.get(connector.id)
        if flight is None:
            flight = self._flights[connector.id] = asyncio.create_task(self._alone(connector))
            flight.add_done_callback(lambda _: self._flights.pop(connector.id, None))
        return await asyncio.shield(flight)

    async def _alone(self, connector: AccountConnector) -> AccountConnector | TokenFailure:
        """Whoever else renews it meanwhile is waited for; a refresh token may be good for one use only."""
        name, owner, until_s = f"connector:{connector.id}", new_uuid(), self.clock() + MAX_WAIT_S
        while not await self.tokens.lock(name, owner):
            await asyncio.sleep(POLL_S)
            current = await self.connectors.get(connector.id)
            if current is not None and current.auth_value != connector.auth_value:
                return current
            if self.clock() > until_s:
                break
        try:
            return await self._asked(connector)
        finally:
            await self.tokens.unlock(name, owner)

    async def _asked(self, connector: AccountConnector) -> AccountConnector | TokenFailure:
        current = await self.connectors.get(connector.id)
        if current is None or current.refresh_token is None:
            return TokenFailure(CONFIGURATION_ERROR, "the connector has no refresh token: authorize again")
        if current.auth_value != connector.auth_value:
            return current
        application = await self._application(current)
        if application is None:
            return TokenFailure(CONFIGURATION_ERROR, "its template no longer says where to ask: authorize again")
        token = self.sealer.open(current.refresh_token, connector_refresh_token(current.id))
        grant = await self.client.renew(application, token)
        log.info("token of a connector", connector_id=current.id, renewed=not isinstance(grant, TokenFailure))
        if isinstance(grant, TokenFailure):
            return grant
        try:
            kept = await self.renewals.keep(current, grant, self.clock.now_ms())
        except StoreUnavailable:
            return TokenFailure("TRANSPORT_ERROR", "the new token could not be kept")
        return kept or await self.connectors.get(current.id) or current

    async def _application(self, connector: AccountConnector) -> OAuthApplication | None:
        template = await self.templates.find(connector.template_id) if connector.template_id is not None else None
        return opened_application(self.sealer, template.id, template.oauth) if template and template.oauth else None


def opened_application(sealer: Sealer, template_id: int, application: OAuthApplication) -> OAuthApplication:
    """With its secret in clear. Raises ``SealError``."""
    if not application.client_secret:
        return application
    secret = sealer.open(application.client_secret, template_client_secret(template_id))
    return replace(application, client_secret=secret)
