"""API clients: marketplace backends and operators. Keeps a hash of each secret, never the secret.

A secret has 256 random bits, so that one round of SHA-256 is as hard to reverse as a slow hash
of a password would be, and checking it costs a microsecond of the event loop.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Awaitable
from dataclasses import asdict, replace
from typing import Any, cast

import orjson
from redis.asyncio import Redis

from dispatcher.model.access import ApiClient
from dispatcher.store import keys
from dispatcher.store.connection import guarded


def new_secret() -> str:
    """256 random bits in URL-safe base64: 43 characters."""
    return secrets.token_urlsafe(32)


def hash_secret(secret: str) -> str:
    """SHA-256 in hexadecimal, the only form in which a secret is stored."""
    return hashlib.sha256(secret.encode()).hexdigest()


class ClientStore:
    """One hash of client id → JSON (``keys.DEF_CLIENTS``)."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def create(
        self, scopes: frozenset[str], name: str, account_id: str | None, now_ms: int
    ) -> tuple[ApiClient, str]:
        """A new client and its secret, which is shown only here."""
        secret = new_secret()
        client = ApiClient(
            client_id=secrets.token_hex(10),
            secret_hash=hash_secret(secret),
            scopes=scopes,
            created_ms=now_ms,
            name=name,
            account_id=account_id,
        )
        await self.put(client)
        return client, secret

    async def put(self, client: ApiClient) -> None:
        """Write ``client`` over whatever has its id."""
        with guarded():
            await cast("Awaitable[int]", self._redis.hset(keys.DEF_CLIENTS, client.client_id, _write(client).decode()))

    async def get(self, client_id: str) -> ApiClient | None:
        with guarded():
            stored = await cast("Awaitable[bytes | None]", self._redis.hget(keys.DEF_CLIENTS, client_id))
        return _read(stored) if stored else None

    async def all(self) -> list[ApiClient]:
        """Every client, oldest first, disabled ones too."""
        with guarded():
            stored = await cast("Awaitable[list[bytes]]", self._redis.hvals(keys.DEF_CLIENTS))
        return sorted((_read(record) for record in stored), key=lambda client: (client.created_ms, client.client_id))

    async def rotate(self, client_id: str) -> str | None:
        """A new secret in place of the old one, or None when there is no such client."""
        client = await self.get(client_id)
        if client is None:
            return None
        secret = new_secret()
        await self.put(replace(client, secret_hash=hash_secret(secret)))
        return secret

    async def disable(self, client_id: str) -> bool:
        """Let the client in no more; False when there is no such client."""
        client = await self.get(client_id)
        if client is None:
            return False
        await self.put(replace(client, disabled=True))
        return True


def _write(client: ApiClient) -> bytes:
    return orjson.dumps(asdict(client) | {"scopes": sorted(client.scopes)})


def _read(stored: bytes) -> ApiClient:
    record: dict[str, Any] = orjson.loads(stored)
    return ApiClient(
        client_id=record["client_id"],
        secret_hash=record["secret_hash"],
        scopes=frozenset(record["scopes"]),
        created_ms=record["created_ms"],
        name=record.get("name", ""),
        account_id=record.get("account_id"),
        disabled=bool(record.get("disabled")),
    )
