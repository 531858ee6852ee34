"""Shares free places out among partitions, and says whose lease is to be renewed. Notes whom it asked; no I/O."""

from __future__ import annotations

from collections.abc import Collection

from worker.partition.owned_partition import Holding

Ask = tuple[Holding, int]
"""A partition to claim from, and how many events at most; none renews its lease."""


def asks(holdings: Collection[Holding], free: int, now: float, renew_before: float) -> list[Ask]:
    """The claims of one round: ``free`` places evenly to those that may have work, whoever waits longest first.

    ``renew_before``: a lease that was last renewed before then is renewed without claiming. Times are seconds of the
    steady clock.
    """
    eager = sorted((h for h in holdings if h.wants(now)), key=lambda h: h.turn) if free > 0 else []
    turn = max((h.turn for h in holdings), default=0)
    claims = []
    for position, holding in enumerate(eager):
        share = -(-free // (len(eager) - position))
        free -= share
        if share:
            turn += 1
            holding.turn = turn
            holding.hungry = False  # before asking: a nudge that overtakes the answer must not be forgotten
            claims.append((holding, share))
    asked = {holding.partition for holding, _ in claims}
    return claims + [
        (h, 0) for h in holdings if h.renewed_at < renew_before and h.partition not in asked and not h.uncertain
    ]
