"""The next attempt of an event whose last one failed: by the revision's schedule, with jitter. Reads no clock."""

from __future__ import annotations

import random

from dispatcher.model.event_type import STEP_TYPES
from dispatcher.model.status import Status
from dispatcher.policy.pace.retry import next_delay_s
from worker.delivery.delivery import Decision, Delivery

REFUSED_AGAIN_MS = 500
"""Delay of an event whose account's own value was refused."""
REFUSED_TIMES = 50
"""Such attempts that use up no schedule."""


def retried(delivery: Delivery, retry_after_s: float | None, now_ms: int) -> Decision:
    """DEAD when no attempt is left; a call about a step is made once, and FAILED.

    After a refusal of an account's own value it is soon tried again: by then the events of its account are held.
    """
    state, target = delivery.claimed.state, delivery.target
    if delivery.claimed.event.type in STEP_TYPES:
        return Decision(Status.FAILED)
    if delivery.refused and state.tries < REFUSED_TIMES:
        return Decision(Status.RETRYING, REFUSED_AGAIN_MS)
    delay_s = next_delay_s(
        target.schedule_s,
        state.tries + 1,
        random.uniform(-1, 1),  # noqa: S311 - jitter, not a secret
        retry_after_s,
        age_s=(now_ms - state.created_ms) / 1000,
        max_age_s=target.revision.retry.max_age_s,
    )
    return Decision(Status.DEAD) if delay_s is None else Decision(Status.RETRYING, int(delay_s * 1000))
