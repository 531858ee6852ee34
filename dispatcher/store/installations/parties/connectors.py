"""Connectors of accounts. Never decides who may, and never opens an AuthValue."""

from __future__ import annotations

from collections.abc import Iterable

from redis.asyncio import Redis

from dispatcher.model.connector import AccountConnector
from dispatcher.store.installations.writing.editing import Place, Transaction, stored_at
from dispatcher.store.keys import installations as keys
from dispatcher.store.redis.connection import guarded

MAX_CONNECTORS = 100
"""Of one account."""

Entries = list[tuple[int, str, str | None]]
"""Id, name and integration of each connector of one account."""


def connector_place(connector_id: int) -> Place[AccountConnector]:
    return Place(AccountConnector, keys.connector(connector_id), kind="connector", id=str(connector_id))


def entries_place(account_id: str) -> Place[Entries]:
    return Place(Entries, keys.CONNECTORS_OF, account_id)


class ConnectorStore:
    """Reads; changes are made in a ``Transaction`` with ``put_connector``."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis

    async def get(self, connector_id: int) -> AccountConnector | None:
        place = connector_place(connector_id)
        stored = await stored_at(self.redis, place)
        return place.read(stored) if stored else None

    async def of_account(self, account_id: str) -> list[AccountConnector]:
        """Every connector of the account, lowest id first."""
        return await self._loaded([one[0] for one in await self._entries(account_id)])

    async def _entries(self, account_id: str) -> Entries:
        place = entries_place(account_id)
        stored = await stored_at(self.redis, place)
        return place.read(stored) if stored else []

    async def _loaded(self, ids: list[int]) -> list[AccountConnector]:
        with guarded():
            records = await self.redis.mget([keys.connector(one) for one in ids]) if ids else []
        return [connector_place(0).read(record) for record in records if record]


def chosen(connectors: Iterable[AccountConnector]) -> dict[str, AccountConnector]:
    """By integration, what the account shows at its host: its partner connector, else its newest one."""
    found: dict[str, AccountConnector] = {}
    for one in sorted(connectors, key=lambda one: (one.partner, one.id)):
        if one.integration_id is not None:
            found[one.integration_id] = one
    return found


async def put_connector(transaction: Transaction, connector: AccountConnector) -> None:
    """Write it and its entry in the account's list."""
    place = entries_place(connector.account_id)
    others = [one for one in await transaction.read(place) or [] if one[0] != connector.id]
    transaction.write(place, sorted([*others, (connector.id, connector.name, connector.integration_id)]))
    transaction.write(connector_place(connector.id), connector)
    transaction.announce(connector_message(connector.account_id))


async def remove_connector(transaction: Transaction, connector: AccountConnector) -> None:
    """Take it away, and its entry in the account's list."""
    place = entries_place(connector.account_id)
    left = [one for one in await transaction.read(place) or [] if one[0] != connector.id]
    transaction.write(place, left or None)
    transaction.write(connector_place(connector.id), None)
    transaction.announce(connector_message(connector.account_id))


def connector_message(account_id: str) -> str:
    """The message that announces a change of an account's connectors."""
    return f"connectors:{account_id}"
