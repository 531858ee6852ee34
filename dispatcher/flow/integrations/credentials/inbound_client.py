"""Gives a product host the credentials with which it answers events. Keeps only a hash of the secret."""

from __future__ import annotations

import secrets
import string
from dataclasses import dataclass, replace

from dispatcher.model.integration import InboundClient, Integration
from dispatcher.store.access.clients import hash_secret, new_secret
from dispatcher.store.definitions.editing import Definitions

CLIENT_ID_CHARS = 10
_ALPHABET = string.ascii_letters + string.digits


@dataclass(frozen=True, slots=True)
class Generated:
    """``client_secret`` is in clear here, and nowhere afterwards."""

    client_id: str
    client_secret: str
    created_ms: int


async def generate_inbound_client(definitions: Definitions, any_id: str, now_ms: int) -> Generated:
    """A new pair in place of the old one, which is refused from now on. Raises ``NotFound``."""
    client_id = "".join(secrets.choice(_ALPHABET) for _ in range(CLIENT_ID_CHARS))
    secret = new_secret()
    client = InboundClient(client_id, hash_secret(secret), now_ms)

    def change(current: Integration) -> Integration:
        return replace(current, inbound_client=client, modified_ms=now_ms)

    await definitions.edit(any_id, change)
    return Generated(client_id, secret, now_ms)
