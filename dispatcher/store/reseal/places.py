"""Every place of the store that holds sealed values. A room that begins to hold some adds its place here."""

from __future__ import annotations

from redis.asyncio import Redis

from dispatcher.store.definitions.sealed import SealedDefinitions
from dispatcher.store.installations.writing.sealed import (
    sealed_connectors,
    sealed_installations,
    sealed_marketplaces,
    sealed_templates,
)
from dispatcher.store.secrets.places import SealedPlace
from dispatcher.store.secrets.signing_keys import SealedSigningKey


def sealed_places(redis: Redis) -> tuple[SealedPlace, ...]:
    """In the order of reports.

    Cached access tokens are no such place: they end by themselves, and without their key they are asked for again.
    """
    return (
        SealedDefinitions(redis),
        sealed_marketplaces(redis),
        sealed_templates(redis),
        sealed_connectors(redis),
        sealed_installations(redis),
        SealedSigningKey(redis),
    )
