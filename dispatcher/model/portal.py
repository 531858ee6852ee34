"""Links to a product host's own page: one opens it once, for one integration. Values only."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, replace
from enum import StrEnum

LIFETIME_MS = 600_000
"""Of a link that nobody opens."""
REMEMBERED_MS = 86_400_000
"""Time for which a late click learns why nothing opens."""


class Opening(StrEnum):
    """The outcome of a link."""

    OPENED = "opened"
    EXPIRED = "expired"
    USED = "used"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PortalLink:
    """``id`` stands in the address, the token in its fragment, of which only the SHA-256 is kept."""

    id: str
    token_sha256: str
    integration_id: str
    vendor_id: str | None
    made_by: str
    """The API client."""
    made_ms: int
    framed_by: tuple[str, ...] = ()
    """Origins whose pages may show it in a frame."""
    opened_ms: int | None = None

    @property
    def expires_ms(self) -> int:
        return self.made_ms + LIFETIME_MS

    def opening(self, token: str, ended_ms: int, now_ms: int) -> Opening:
        """The outcome of it with that token. ``ended_ms``: links that were made until then open nothing."""
        if not hmac.compare_digest(hashed(token), self.token_sha256):
            return Opening.UNKNOWN
        if self.opened_ms is not None:
            return Opening.USED
        if now_ms >= self.expires_ms or self.made_ms <= ended_ms:
            return Opening.EXPIRED
        return Opening.OPENED

    def opened(self, now_ms: int) -> PortalLink:
        return replace(self, opened_ms=now_ms)


def hashed(token: str) -> str:
    """SHA-256 in hexadecimal; the token has 256 random bits."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
