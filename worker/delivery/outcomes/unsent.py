"""Events that are not sent as they were claimed: each reason, and how the event goes on for it. Sends nothing."""

from __future__ import annotations

import structlog

from dispatcher.model.attempt import Outcome
from dispatcher.model.queue import INTEGRATION_DELETED
from dispatcher.model.status import Status
from dispatcher.policy.answers.outcome import TRANSPORT_ERROR, Verdict
from dispatcher.policy.integration_filter.filter import FILTERED, Judgement, Ruling
from dispatcher.store.queue.owning.claims import Claimed, Move, Settlement
from worker.delivery.delivery import Delivery, Reading
from worker.delivery.outcomes.failures import CONFIGURATION_ERROR, undecided

MIN_PUT_OFF_MS = 50
NOT_ADMITTED_MS = 10
"""Delay of an event that its lane did not admit; the store has the lane's limits by then."""
UNREADABLE_FILTER_MS = 5000
"""Delay of an event whose filter cannot be read: a newer version may read it, or somebody repair it."""

_ASKED_ONCE = "the worker that asked was lost before the host answered: ask again"

log = structlog.get_logger("attempt")

Ending = Settlement | Verdict | Reading
"""A settlement as it stands, the verdict on an event that is skipped, or a reading that counts as an attempt."""


def deleted(claimed: Claimed) -> Settlement:
    """The integration is gone."""
    return Settlement(claimed, Status.DEAD, error_code=CONFIGURATION_ERROR, error_message=INTEGRATION_DELETED)


def not_admitted(claimed: Claimed) -> Settlement:
    """The lane's limits leave no slot."""
    return Settlement(claimed, Move.RELEASE, NOT_ADMITTED_MS)


def behind_half_open(claimed: Claimed) -> Settlement:
    """Another attempt finds out first if its URL is still gone."""
    return Settlement(claimed, Move.RELEASE)


def put_off(claimed: Claimed, seconds: float) -> Settlement:
    """No attempt was made, and none is worth making before that."""
    return Settlement(claimed, Move.RELEASE, max(MIN_PUT_OFF_MS, int(seconds * 1000)))


def gone(claimed: Claimed, url: str) -> Settlement:
    """Nothing is sent to the URL, until it is enabled or another is published."""
    return Settlement(claimed, Status.HELD, error_code="URL_SUSPENDED", error_message=f"{url} answered 410 Gone")


def ending_of(delivery: Delivery, judgement: Judgement, suspended: frozenset[str]) -> Ending:
    """No URL, a filter that does not let it pass, a suspended URL, or a step that was asked about before."""
    claimed, url = delivery.claimed, delivery.url
    if not url:
        return Verdict(Outcome.OK, Status.SKIPPED)
    if judgement.ruling is Ruling.LEFT_OUT:
        return Verdict(Outcome.OK, Status.SKIPPED, FILTERED, f"the integration's filter asks for {judgement.text}")
    if judgement.ruling is Ruling.UNDECIDED:
        return undecided(judgement.text)
    if judgement.ruling is not Ruling.PASSES:
        lane, event_id = claimed.event.integration_id, claimed.event.id
        log.error("filter cannot be read", integration_id=lane, event_id=event_id, error=judgement.text)
        return Settlement(claimed, Move.RELEASE, UNREADABLE_FILTER_MS)
    if url in suspended:
        return gone(claimed, url)
    return Settlement(claimed, Status.FAILED, error_code=TRANSPORT_ERROR, error_message=_ASKED_ONCE)
