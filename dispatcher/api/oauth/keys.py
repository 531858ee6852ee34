"""The key pair that signs access tokens: made at the first start, shared by all API processes. Stored sealed only."""

from __future__ import annotations

import asyncio

import orjson
from joserfc.jwk import KeySet, RSAKey

from dispatcher.store.sealing import Sealer
from dispatcher.store.signing_keys import SigningKeyStore

ALGORITHM = "RS256"
_BITS = 2048
SEALED_AS = "oauth2:signing-key"


async def load_keys(store: SigningKeyStore, sealer: Sealer) -> KeySet:
    """The shared keys, the one that signs first; makes them when no process has."""
    sealed = await store.current()
    if sealed is None:
        made = await asyncio.to_thread(generate)
        sealed = await store.offer(sealer.seal(made, SEALED_AS))
    key = RSAKey.import_key(orjson.loads(sealer.open(sealed, SEALED_AS)))
    return KeySet([key])


def generate() -> str:
    """A new private key as JWK text. Takes a tenth of a second of processor."""
    key = RSAKey.generate_key(_BITS, {"use": "sig", "alg": ALGORITHM}, auto_kid=True)
    return orjson.dumps(key.as_dict(private=True)).decode()
