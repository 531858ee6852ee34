"""Access tokens of connectors that can be renewed (RFC 6749 §6): when they are, and how the new ones are kept."""

from __future__ import annotations

from dataclasses import dataclass, replace

from dispatcher.model.authorization import Grant
from dispatcher.model.connector import AccountConnector
from dispatcher.store.installations.parties.connectors import connector_place, put_connector
from dispatcher.store.installations.writing.editing import Transaction, transacted
from dispatcher.store.redis.client import StoreClient
from dispatcher.store.secrets.fields import connector_auth_value, connector_refresh_token
from dispatcher.store.secrets.sealing import Sealer

AHEAD_MS = 60_000
"""So long before it expires a token is renewed."""


def is_due(connector: AccountConnector, now_ms: int) -> bool:
    return connector.refresh_token is not None and (
        connector.expires_ms is not None and now_ms >= connector.expires_ms - AHEAD_MS
    )


def renewable(connector: AccountConnector, grant: Grant, sealer: Sealer) -> AccountConnector:
    """The connector with the grant's refresh token and time; without a new one the old refresh token stays."""
    context = connector_refresh_token(connector.id)
    sealed = sealer.seal(grant.refresh_token, context) if grant.refresh_token else connector.refresh_token
    return replace(connector, refresh_token=sealed, expires_ms=grant.expires_ms)


@dataclass(frozen=True, slots=True)
class Renewals:
    """One per process."""

    redis: StoreClient
    sealer: Sealer

    async def keep(self, before: AccountConnector, grant: Grant, now_ms: int) -> AccountConnector | None:
        """The connector with its new tokens; None when it has others by now."""

        async def work(transaction: Transaction) -> AccountConnector | None:
            current = await transaction.read(connector_place(before.id))
            if current is None or current.refresh_token != before.refresh_token:
                return None
            sealed = self.sealer.seal(grant.access_token, connector_auth_value(current.id))
            fresh = renewable(replace(current, auth_value=sealed), grant, self.sealer)
            moved_on = replace(fresh, modified_ms=max(now_ms, current.modified_ms + 1))
            await put_connector(transaction, moved_on)
            return moved_on

        return await transacted(self.redis, work, f"Connector {before.id}")
