"""API clients: marketplace backends and operators. Keeps a hash of each secret, never the secret.

A secret has 256 random bits, so that one round of SHA-256 is as hard to reverse as a slow hash
of a password would be, and checking it costs a microsecond of the event loop.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import asdict, replace
from typing import Any, cast

import orjson
from redis.asyncio import Redis

from dispatcher.errors import Conflict
from dispatcher.model.access import ApiClient
from dispatcher.model.precondition import Precondition
from dispatcher.store.audit_log.log import Noting
from dispatcher.store.documents.swap import Document, Noted, swap
from dispatcher.store.keys import definitions as keys
from dispatcher.store.redis.connection import guarded


def new_secret() -> str:
    """256 random bits in URL-safe base64: 43 characters."""
    return secrets.token_urlsafe(32)


def hash_secret(secret: str) -> str:
    """SHA-256 in hexadecimal, the only form in which a secret is stored."""
    return hashlib.sha256(secret.encode()).hexdigest()


_TRIES = 32
NO_SECRET = ""
"""The hash of no secret: what a client with a public key has."""

ClientChange = Callable[[ApiClient], ApiClient]


class ClientStore:
    """One hash of client id → JSON (``keys.DEF_CLIENTS``). With ``noting``, changes are in the audit log as well."""

    def __init__(self, redis: Redis, noting: Noting | None = None) -> None:
        self._redis = redis
        self._noting = noting

    def noted(self, noting: Noting) -> ClientStore:
        """The same store; each change is written to the audit log in the same step."""
        return ClientStore(self._redis, noting)

    async def create(
        self,
        scopes: frozenset[str],
        name: str,
        account_id: str | None,
        now_ms: int,
        *,
        vendor_id: str | None = None,
        rate_per_s: float | None = None,
        marketplaces: tuple[int, ...] | None = None,
        public_key: str | None = None,
    ) -> tuple[ApiClient, str]:
        """A new client and its secret, which is shown only here; "" where it has a public key instead."""
        secret = "" if public_key else new_secret()
        client = ApiClient(
            client_id=secrets.token_hex(10),
            secret_hash=hash_secret(secret) if secret else NO_SECRET,
            scopes=scopes,
            created_ms=now_ms,
            name=name,
            account_id=account_id,
            vendor_id=vendor_id,
            rate_per_s=rate_per_s,
            marketplaces=marketplaces,
            public_key=public_key,
        )
        await self.put(client)
        return client, secret

    async def put(self, client: ApiClient) -> None:
        """Write ``client`` over whatever has its id."""
        for _ in range(_TRIES):
            if await self._swap(client.client_id, await self._record(client.client_id), client):
                return
        raise _modified()

    async def get(self, client_id: str) -> ApiClient | None:
        record = await self._record(client_id)
        return _read(record) if record else None

    async def all(self) -> list[ApiClient]:
        """Every client, oldest first, disabled ones too."""
        with guarded():
            stored = await cast("Awaitable[list[bytes]]", self._redis.hvals(keys.DEF_CLIENTS))
        return sorted((_read(record) for record in stored), key=lambda client: (client.created_ms, client.client_id))

    async def edit(
        self, client_id: str, change: ClientChange, expected: Precondition | None = None
    ) -> ApiClient | None:
        """Apply ``change`` to the newest state, or None when there is no such client.

        With ``expected`` only if the client's tag still meets it: ``Conflict`` (modified_meanwhile) otherwise.
        """
        for _ in range(_TRIES):
            record = await self._record(client_id)
            if not record:
                return None
            before = _read(record)
            if expected is not None and not expected(tag(before)):
                raise _modified()
            after = change(before)
            if await self._swap(client_id, record, after):
                return after
        raise _modified()

    async def rotate(
        self, client_id: str, expected: Precondition | None = None, public_key: str | None = None
    ) -> str | None:
        """A new secret, or that public key (then ""), for whatever it had; None when there is no such client."""
        change, secret = renewed(public_key)
        return secret if await self.edit(client_id, change, expected) else None

    async def disable(self, client_id: str, expected: Precondition | None = None) -> bool:
        """Let the client in no more; False when there is no such client."""
        return await self.edit(client_id, lambda client: replace(client, disabled=True), expected) is not None

    async def _record(self, client_id: str) -> bytes:
        with guarded():
            return await cast("Awaitable[bytes | None]", self._redis.hget(keys.DEF_CLIENTS, client_id)) or b""

    async def _swap(self, client_id: str, before: bytes, client: ApiClient) -> bool:
        document = Document(keys.DEF_CLIENTS, before, _write(client, before), client_id)
        entry = Noted("client", client_id, document)
        return await swap(self._redis, [document], noting=self._noting, entries=[entry])


def renewed(public_key: str | None) -> tuple[ClientChange, str]:
    """The change to a new secret, and the secret; or to a public key, which ends the secret, and ""."""
    secret = "" if public_key else new_secret()
    digest = hash_secret(secret) if secret else NO_SECRET
    return lambda client: replace(client, secret_hash=digest, public_key=public_key), secret


def tag(client: ApiClient) -> str:
    """Differs between any two states of a client; what an ``ETag`` holds."""
    return hashlib.sha256(_write(client)).hexdigest()[:16]


def _modified() -> Conflict:
    return Conflict.of("modified_meanwhile", "The client was changed by someone else: read it again, then repeat.")


def _write(client: ApiClient, replaced: bytes = b"") -> bytes:
    """The record, with the unknown fields of the one that it replaces."""
    return orjson.dumps(orjson.loads(replaced or b"{}") | asdict(client) | {"scopes": sorted(client.scopes)})


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
        vendor_id=record.get("vendor_id"),
        rate_per_s=record.get("rate_per_s"),
        marketplaces=tuple(bound) if (bound := record.get("marketplaces")) is not None else None,
        public_key=record.get("public_key"),
    )
