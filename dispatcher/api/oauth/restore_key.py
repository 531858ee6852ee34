"""The key that signs access tokens, after the store lost or changed it: puts ours back, or takes over the store's."""

from __future__ import annotations

import orjson
from joserfc.jwk import KeySet, RSAKey

from dispatcher.store.secrets.fields import ACCESS_TOKEN_KEY
from dispatcher.store.secrets.sealing import Sealer
from dispatcher.store.secrets.signing_keys import SigningKeyStore


async def restore_key(keys: KeySet, store: SigningKeyStore, sealer: Sealer) -> None:
    """Give the store the key that signs here; if it has another, sign with that one and go on verifying with ours.

    Raises ``StoreUnavailable``, and ``SealError`` when the store's key cannot be opened.
    """
    sealed = await store.current()
    if sealed is None:
        ours = orjson.dumps(keys.keys[0].as_dict(private=True)).decode()
        sealed = await store.offer(sealer.seal(ours, ACCESS_TOKEN_KEY))
    theirs = RSAKey.import_key(orjson.loads(sealer.open(sealed, ACCESS_TOKEN_KEY)))
    others = [key for key in keys.keys if key.kid != theirs.kid]
    keys.keys[:] = [theirs, *others]
