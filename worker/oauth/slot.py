"""One token in one process: to be served, refreshed, waited for or given up. Pure.

The one owner of clock skew: a token is served until it expires and refreshed ahead of that, once less than
30 s or a tenth of its life (jittered by a quarter) is left, but never in the first half of its life.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from dispatcher.store.secrets.tokens import AccessToken
from worker.oauth.values import TokenFailure

REFRESH_AHEAD_S = 30.0
REFRESH_SHARE = 0.1
FAILURE_MEMORY_S = 5.0
MAX_FAILURE_MEMORY_S = 3600.0
FRESH_S = 5.0
"""A token refused this soon after it replaced a refused one was not refused for its age."""
HOPELESS_S = 30.0
"""Time for which refusals are final then."""


def refresh_margin_s(lifetime_s: float, jitter: float) -> float:
    """Seconds before its expiry at which a token is refreshed. ``jitter`` in [0, 1) spreads a fleet's refreshes."""
    tenth = REFRESH_SHARE * lifetime_s * (0.75 + 0.5 * jitter)
    return min(max(REFRESH_AHEAD_S, tenth), lifetime_s / 2)


@dataclass(slots=True)
class TokenSlot:
    """Times are seconds since the epoch. ``value`` is served while now < ``expires_at_s``."""

    value: str = ""
    held_since_s: float = -math.inf
    refresh_at_s: float = -math.inf
    expires_at_s: float = -math.inf
    failure: TokenFailure | None = None
    failing_until_s: float = -math.inf
    refused_value: str | None = None
    refused_at_s: float = math.inf
    hopeless_until_s: float = -math.inf

    def hold(self, token: AccessToken, now_s: float, jitter: float) -> None:
        """Serve ``token`` from now on, and forget failures. One without a lifetime is never held."""
        self.failure = None
        if token.expires_at_s <= now_s:
            return
        self.value, self.held_since_s, self.expires_at_s = token.value, now_s, token.expires_at_s
        margin_s = refresh_margin_s(token.expires_at_s - token.issued_at_s, jitter)
        self.refresh_at_s = token.expires_at_s - margin_s

    def fresh(self, now_s: float) -> bool:
        return now_s < self.refresh_at_s

    def usable(self, now_s: float) -> bool:
        return now_s < self.expires_at_s

    def worth_adopting(self, token: AccessToken, now_s: float) -> bool:
        """True when a token that another process fetched saves us a request."""
        if token.value == self.refused_value:
            return False
        margin_s = refresh_margin_s(token.expires_at_s - token.issued_at_s, 1.0)
        return now_s < token.expires_at_s - margin_s

    def fail(self, failure: TokenFailure, now_s: float) -> None:
        """Ask no more for 5 s, or for as long as the endpoint said, at most an hour."""
        self.failure = failure
        pause_s = max(FAILURE_MEMORY_S, failure.retry_after_s or 0.0)
        self.failing_until_s = now_s + min(pause_s, MAX_FAILURE_MEMORY_S)

    def failing(self, now_s: float) -> TokenFailure | None:
        """The last failure while it still counts, with the seconds that are left of it."""
        if self.failure is None or now_s >= self.failing_until_s:
            return None
        return replace(self.failure, retry_after_s=self.failing_until_s - now_s, remembered=True)

    def refuse(self, value: str, now_s: float) -> bool:
        """The host refused ``value``. False = another token would not help, so do not ask for one.

        Drops ``value`` only if it is still held: of many refusals at once, one makes a new token necessary.
        """
        if self.value != value:
            return now_s >= self.hopeless_until_s
        if self.hopeless_until_s > now_s:
            return False
        if self.held_since_s >= self.refused_at_s and now_s - self.held_since_s < FRESH_S:
            self.hopeless_until_s = now_s + HOPELESS_S
            return False
        self.value, self.refresh_at_s, self.expires_at_s = "", -math.inf, -math.inf
        self.refused_value, self.refused_at_s = value, now_s
        return True

    def prove(self) -> None:
        """The host took a token that had replaced a refused one: a later refusal is about that token's age."""
        self.refused_at_s = math.inf
        self.hopeless_until_s = -math.inf

    def idle(self, now_s: float) -> bool:
        return not self.usable(now_s) and self.failing(now_s) is None and self.hopeless_until_s <= now_s
