"""Replaces the key that signs notifications, while the old one goes on signing for an overlap.

Each algorithm has a current key of its own, or none: notifications carry one signature for each.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from dispatcher.errors import Unprocessable
from dispatcher.model.integration import Integration, SigningAlgorithm, SigningSecret
from dispatcher.policy.notification.signing import SeedKey, generate_secret, generate_seed, parse_secret
from dispatcher.store.definitions.editing import Definitions
from dispatcher.store.secrets import fields as sealed_fields
from dispatcher.store.secrets.sealing import Sealer

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
    """Sign with a new key, and until ``now_ms`` + ``overlap_s`` with the one that it replaces too.

    It replaces the key of its algorithm; with ``only`` that of the other one as well. Older keys, whose end an earlier
    rotation set, sign until then; an overlap of 0 ends them all. Raises ``NotFound``, and
    ``Unprocessable`` for an overlap over 7 days.
    """
    if not 0 <= overlap_s <= MAX_OVERLAP_S:
        text = f"The overlap is between 0 and {MAX_OVERLAP_S:.0f} seconds."
        raise Unprocessable.of("out_of_range", text, "overlapSeconds")
    secret, public_key = new_key(algorithm)

    def change(current: Integration) -> Integration:
        return with_new_key(current, sealer, secret, public_key, algorithm, now_ms, overlap_s, only=only)

    changed = await definitions.edit(any_id, change)
    return Rotated(changed, None if public_key else secret, public_key)


def with_new_key(
    current: Integration,
    sealer: Sealer,
    secret: str,
    public_key: str | None,
    algorithm: SigningAlgorithm,
    now_ms: int,
    overlap_s: float,
    *,
    only: bool = False,
) -> Integration:
    """The integration as it is after a rotation to that key."""
    sealed = sealer.seal(secret, sealed_fields.signing_secret(current.id))
    newest = SigningSecret(sealed, now_ms, algorithm=algorithm, public_key=public_key)
    replaced = {one for one in current.signing_secrets if only or one.algorithm is algorithm}
    kept = _retire(current.signing_secrets, replaced, now_ms, now_ms + int(overlap_s * 1000))
    return replace(current, signing_secrets=(newest, *kept), modified_ms=now_ms)


def new_key(algorithm: SigningAlgorithm) -> tuple[str, str | None]:
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
    ending = [_ending(one, now_ms, until_ms) if one in replaced else one for one in keys]
    signing = [one for one in ending if one.signs_at(now_ms)]
    dropped = [one for one in signing if one.not_after_ms is not None][MAX_OLD_SECRETS:]
    return tuple(one for one in signing if one not in dropped)


def _ending(key: SigningSecret, now_ms: int, until_ms: int) -> SigningSecret:
    """An end that was set before stays: somebody relies on it. Without any overlap, after a leak, all end at once."""
    if key.not_after_ms is None or until_ms <= now_ms:
        return replace(key, not_after_ms=until_ms)
    return key
