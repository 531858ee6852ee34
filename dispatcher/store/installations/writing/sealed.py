"""Sealed values of marketplaces, connector templates, connectors and installations. Opens and seals nothing itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any, cast

import orjson
from redis.asyncio import Redis

from dispatcher.policy.secrets.setting_secrets import with_secrets
from dispatcher.store.keys import installations as keys
from dispatcher.store.secrets import fields
from dispatcher.store.secrets.places import KeyedRecords, SealedField, sealed_texts

Ids = Callable[[Redis], Awaitable[list[str]]]


def sealed_marketplaces(redis: Redis) -> KeyedRecords:
    secrets = SealedField(("signing_secrets",), _numbered(fields.marketplace_signing_secret))
    return KeyedRecords(redis, "marketplaces", _listed(keys.MARKETPLACES), keys.marketplace, "marketplace", (secrets,))


def sealed_templates(redis: Redis) -> KeyedRecords:
    secret = SealedField(("oauth", "client_secret"), _numbered(fields.template_client_secret))
    return KeyedRecords(redis, "templates", _listed(keys.TEMPLATES), keys.template, "template", (secret,))


def sealed_connectors(redis: Redis) -> KeyedRecords:
    value = SealedField(("auth_value",), _numbered(fields.connector_auth_value))
    token = SealedField(("refresh_token",), _numbered(fields.connector_refresh_token))
    return KeyedRecords(redis, "connectors", _connectors, keys.connector, "connector", (value, token))


def sealed_installations(redis: Redis) -> KeyedRecords:
    settings = SealedField(("settings",), fields.installation_setting, _secrets_among)
    ids = _listed(keys.INSTALLATIONS)
    return KeyedRecords(redis, "installations", ids, keys.installation, "installation", (settings,))


def _numbered(context: Callable[[int], str]) -> Callable[[str], str]:
    return lambda owner: context(int(owner))


def _listed(index: str) -> Ids:
    async def ids(redis: Redis) -> list[str]:
        return [one.decode() for one in await redis.zrange(index, 0, -1)]

    return ids


async def _connectors(redis: Redis) -> list[str]:
    """Of every account."""
    lists = await cast("Awaitable[list[bytes]]", redis.hvals(keys.CONNECTORS_OF))
    return [str(entry[0]) for entries in lists for entry in orjson.loads(entries)]


def _secrets_among(settings: Any) -> Iterator[str]:
    """Sealed texts that are secrets: a customer may write one that only looks sealed into any other setting."""
    found: list[str] = []

    def note(_: str, text: str) -> str:
        found.append(text)
        return text

    with_secrets(settings, note)
    yield from sealed_texts(found)
