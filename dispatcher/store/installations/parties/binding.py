"""Marks an integration of which some account has a connector or an installation. Never takes the mark away."""

from __future__ import annotations

from dataclasses import replace

from redis.asyncio import Redis

from dispatcher.store.definitions.records import read_integration, write_integration
from dispatcher.store.documents.swap import Document
from dispatcher.store.installations.writing.editing import Transaction
from dispatcher.store.keys import definitions as keys
from dispatcher.store.redis.connection import guarded


async def mark_bound(redis: Redis, transaction: Transaction, integration_id: str) -> None:
    """As a part of the change that binds; costs a read where it is marked already."""
    key = keys.definition(integration_id)
    with guarded():
        before = await redis.get(key)
    if not before:
        return
    integration = read_integration(before)
    if integration.account_bound:
        return
    bound = replace(integration, account_bound=True, modified_ms=integration.modified_ms + 1)
    transaction.write_raw(Document(key, before, write_integration(bound, before)))
    transaction.announce(integration_id)
