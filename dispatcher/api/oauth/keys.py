"""The key pair that signs access tokens: made at the first start, shared by all API processes. Stored sealed only."""

from __future__ import annotations

import asyncio

import orjson
from joserfc.jwk import KeySet, RSAKey

from dispatcher.store.secrets.fields import ACCESS_TOKEN_KEY
from dispatcher.store.secrets.sealing import Sealer, SealError
from dispatcher.store.secrets.signing_keys import SigningKeyStore

ALGORITHM = "RS256"
_BITS = 2048


async def load_keys(store: SigningKeyStore, sealer: Sealer) -> KeySet:
    """The shared keys, the one that signs first; makes them when no process has."""
    sealed = await store.current()
    if sealed is None:
        made = await asyncio.to_thread(generate)
        sealed = await store.offer(sealer.seal(made, ACCESS_TOKEN_KEY))
    try:
        opened = sealer.open(sealed, ACCESS_TOKEN_KEY)
    except SealError as error:
        raise SealError(f"the key that signs access tokens cannot be opened: {error}") from None
    key = RSAKey.import_key(orjson.loads(opened))
    return KeySet([key])


def generate() -> str:
    """A new private key as JWK text. Takes a tenth of a second of processor."""
    key = RSAKey.generate_key(_BITS, {"use": "sig", "alg": ALGORITHM}, auto_kid=True)
    return orjson.dumps(key.as_dict(private=True)).decode()
