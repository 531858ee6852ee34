"""Replaces the secret that signs notifications, while the old one goes on signing for an overlap."""

from __future__ import annotations

from dataclasses import dataclass, replace

from dispatcher.errors import Unprocessable
from dispatcher.model.integration import Integration, SigningSecret
from dispatcher.policy.signing import generate_secret
from dispatcher.store import sealed_fields
from dispatcher.store.definitions import Definitions
from dispatcher.store.sealing import Sealer

DEFAULT_OVERLAP_S = 86_400.0
MAX_OVERLAP_S = 7 * 86_400.0
MAX_OLD_SECRETS = 10


@dataclass(frozen=True, slots=True)
class Rotated:
    """``signing_secret`` is in clear here, and nowhere afterwards."""

    integration: Integration
    signing_secret: str


async def rotate_secret(
    definitions: Definitions, sealer: Sealer, any_id: str, now_ms: int, overlap_s: float = DEFAULT_OVERLAP_S
) -> Rotated:
    """Sign with a new secret, and until ``now_ms`` + ``overlap_s`` with the old ones too (0 = no more).

    Raises ``NotFound``, and ``Unprocessable`` for an overlap over 7 days.
    """
    if not 0 <= overlap_s <= MAX_OVERLAP_S:
        text = f"The overlap is between 0 and {MAX_OVERLAP_S:.0f} seconds."
        raise Unprocessable.of("out_of_range", text, "overlapSeconds")
    secret = generate_secret()
    until_ms = now_ms + int(overlap_s * 1000)

    def change(current: Integration) -> Integration:
        sealed = sealer.seal(secret, sealed_fields.signing_secret(current.id))
        newest = SigningSecret(sealed, now_ms)
        old = _retire(current.signing_secrets, now_ms, until_ms)
        return replace(current, signing_secrets=(newest, *old), modified_ms=now_ms)

    return Rotated(await definitions.edit(any_id, change), secret)


def _retire(old: tuple[SigningSecret, ...], now_ms: int, until_ms: int) -> tuple[SigningSecret, ...]:
    """Those that still sign, the newest ten: a rotation is never refused, least of all after a leak."""
    ending = (
        replace(one, not_after_ms=until_ms if one.not_after_ms is None else min(one.not_after_ms, until_ms))
        for one in old
    )
    return tuple(one for one in ending if (one.not_after_ms or 0) > now_ms)[:MAX_OLD_SECRETS]
