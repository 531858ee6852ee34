"""Allocates free slots to partitions that may have work, and renews leases that need it. No I/O."""

from __future__ import annotations

from collections.abc import Collection

from worker.partition.owned_partition import OwnedPartition

Allotment = tuple[OwnedPartition, int]
"""A partition and the number of events to claim at most; 0 only renews its lease."""


def allot(partitions: Collection[OwnedPartition], free: int, now: float, renew_before: float) -> list[Allotment]:
    """The claims of one round: ``free`` slots in equal shares, the partition that has waited longest first.

    ``renew_before``: a lease that was last renewed before then is renewed without claiming. Times are seconds of the
    steady clock.
    """
    claiming = [one for one in partitions if one.may_claim(now)] if free > 0 else []
    claiming.sort(key=lambda one: one.turn)
    turn = max((one.turn for one in partitions), default=0)
    claims = []
    for position, owned in enumerate(claiming):
        share = -(-free // (len(claiming) - position))
        free -= share
        if share:
            turn += 1
            owned.turn = turn
            owned.work_expected = False  # before asking: a nudge that overtakes the answer must not be forgotten
            claims.append((owned, share))
    asked = {owned.partition for owned, _ in claims}
    stale = [one for one in partitions if one.renewed_at < renew_before and not one.unconfirmed]
    return claims + [(one, 0) for one in stale if one.partition not in asked]
