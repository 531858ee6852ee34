"""Replaces the key that signs notifications, while the old one goes on signing for an overlap.

Each algorithm has a current key of its own, or none: notifications carry one signature for each.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from dispatcher.errors import Unprocessable
from dispatcher.model.integration import Integration, SigningAlgorithm, SigningSecret
from dispatcher.policy.signing import SeedKey, generate_secret, generate_seed, parse_secret
from dispatcher.store import sealed_fields
from dispatcher.store.definitions import Definitions
from dispatcher.store.sealing import Sealer

DEFAULT_OVERLAP_S = 86_400.0
MAX_OVERLAP_S = 7 * 86_400.0
MAX_OLD_SECRETS = 10


@dataclass(frozen=True, slots=True)
class Rotated:
    """``signing_secret`` is in clear here, and nowhere afterwards; an ed25519 seed is in clear nowhere."""

    integration: Integration
    signing_secret: str | None = None
    public_key: str | None = None


async def rotate_secret(
    definitions: Definitions,
    sealer: Sealer,
    any_id: str,
    now_ms: int,
    overlap_s: float = DEFAULT_OVERLAP_S,
    algorithm: SigningAlgorithm = SigningAlgorithm.HMAC,
    *,
    only: bool = False,
) -> Rotated:
    """Sign with a new key, and until ``now_ms`` + ``overlap_s`` with those that it replaces too (0 = no more).

    It replaces the keys of its algorithm; with ``only`` those of the other one as well. Raises ``NotFound``, and
    ``Unprocessable`` for an overlap over 7 days.
    """
    if not 0 <= overlap_s <= MAX_OVERLAP_S:
        text = f"The overlap is between 0 and {MAX_OVERLAP_S:.0f} seconds."
        raise Unprocessable.of("out_of_range", text, "overlapSeconds")
    secret, public_key = _generated(algorithm)
    until_ms = now_ms + int(overlap_s * 1000)

    def change(current: Integration) -> Integration:
        sealed = sealer.seal(secret, sealed_fields.signing_secret(current.id))
        newest = SigningSecret(sealed, now_ms, algorithm=algorithm, public_key=public_key)
        replaced = {one for one in current.signing_secrets if only or one.algorithm is algorithm}
        kept = _retire(current.signing_secrets, replaced, now_ms, until_ms)
        return replace(current, signing_secrets=(newest, *kept), modified_ms=now_ms)

    changed = await definitions.edit(any_id, change)
    return Rotated(changed, None if public_key else secret, public_key)


def _generated(algorithm: SigningAlgorithm) -> tuple[str, str | None]:
    """A fresh secret, and its public half if it has one."""
    if algorithm is SigningAlgorithm.HMAC:
        return generate_secret(), None
    seed = generate_seed()
    key = parse_secret(seed)
    return seed, str(key.public) if isinstance(key, SeedKey) else None


def _retire(
    keys: tuple[SigningSecret, ...], replaced: set[SigningSecret], now_ms: int, until_ms: int
) -> tuple[SigningSecret, ...]:
    """Those that still sign; of those with an end the newest ten, so that no rotation is ever refused."""
    ending = [_ending(one, until_ms) if one in replaced else one for one in keys]
    signing = [one for one in ending if one.signs_at(now_ms)]
    dropped = [one for one in signing if one.not_after_ms is not None][MAX_OLD_SECRETS:]
    return tuple(one for one in signing if one not in dropped)


def _ending(key: SigningSecret, until_ms: int) -> SigningSecret:
    """A rotation shortens the life of an old key, and never extends it."""
    return replace(key, not_after_ms=until_ms if key.not_after_ms is None else min(key.not_after_ms, until_ms))
