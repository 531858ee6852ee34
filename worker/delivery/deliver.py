"""One delivery from claim to settlement: find → prepare → authorise → sign → post → read → decide → settle.

Each step is one function, in that order; one ``Delivery`` goes through all of them. From prepare to read they talk to
the outside, in ``worker.delivery.sending``. Never raises for what a host does: that is an outcome.
"""

from __future__ import annotations

import logging
import time

from dispatcher.clock import Clock
from dispatcher.flow.events.making.status_notice import is_notified, status_notice
from dispatcher.model.attempt import Attempt, Outcome
from dispatcher.model.event_type import STEP_TYPES, TYPE_RULES
from dispatcher.model.integration import WORKING
from dispatcher.model.status import Status
from dispatcher.policy.answers.outcome import Verdict
from dispatcher.policy.answers.steps import essence
from dispatcher.policy.integration_filter.filter import Judgement, Ruling
from dispatcher.policy.secrets.redaction import scrub
from dispatcher.store.queue.owning.claims import Claimed, Settlement, SuspendedUrls
from worker.delivery.accounts.connectors import Accounts
from worker.delivery.delivery import Decision, Delivered, Delivery, FirstTo, Limiter, Reading
from worker.delivery.held_types import HeldTypes
from worker.delivery.outcomes.attempt_log import AS_PLANNED, log, log_attempt
from worker.delivery.outcomes.retries import retried
from worker.delivery.outcomes.telling_headers import scrubbed
from worker.delivery.outcomes.unsent import Ending, behind_half_open, deleted, ending_of, gone, not_admitted, put_off
from worker.delivery.sending import Sender
from worker.delivery.targets.lookup import Lookup
from worker.delivery.targets.target import Target
from worker.http.request_target import asked_with, sent_url

_AS_IT_IS = {status: Decision(status) for status in Status}


class Deliverer:
    """Everything between a claim and its settlement. One per process."""

    def __init__(
        self, lookup: Lookup, sender: Sender, clock: Clock, worker_id: str, accounts: Accounts, held: HeldTypes
    ) -> None:
        self._lookup = lookup
        self._held = held
        self._accounts = accounts
        self._sender = sender
        self._clock = clock
        self._worker_id = worker_id
        self._log_all = log.is_enabled_for(logging.DEBUG)

    async def deliver(
        self, claimed: Claimed, suspended: SuspendedUrls, lane: Limiter, first_to: FirstTo = lambda _: True
    ) -> Delivered:
        """All steps. ``suspended``: URLs of the integration that answered 410 Gone.

        ``first_to`` takes a half-open one of them up, or says False while another attempt goes there.
        """
        if self._held.until_ms and (held_s := self._held.wait_s(claimed.event.type)) is not None:
            return Delivered(put_off(claimed, held_s))
        delivery = self.find(claimed) or await self._find_in_store(claimed)
        if delivery is None:
            return Delivered(deleted(claimed))
        if delivery.url in suspended.now or delivery.url in suspended.left:
            redirected = await self._as_published(delivery)
            if redirected is None:
                return self._held_again(delivery, suspended)
            delivery = redirected
        judgement, limits = _judged(delivery), delivery.target.revision.limits
        sendable = delivery.url and judgement.ruling is Ruling.PASSES and delivery.url not in suspended.now
        if not sendable or (claimed.n > 1 and claimed.event.type in STEP_TYPES):
            return self._unsent(delivery, ending_of(delivery, judgement, suspended.now))
        if delivery.url in suspended.half_open and not first_to(delivery.url):
            return Delivered(behind_half_open(claimed), limits, crowded=True)
        if limits.concurrency is None and limits.rate_per_s is None:
            return await self._attempt(delivery)
        with lane.admission(limits, claimed.rate_limited) as admitted:
            if admitted:
                return await self._attempt(delivery)
        return Delivered(not_admitted(claimed), limits)

    async def look_up(self, claimed: Claimed) -> None:
        """Have its definitions at hand, as ``deliver`` needs them next."""
        lane, revision = claimed.event.integration_id, claimed.pinned
        if self._lookup.peek(lane, revision) is None:
            await self._lookup.load(lane, revision)

    def find(self, claimed: Claimed) -> Delivery | None:
        """The revision that the event is sent with, and its URL there; None = the store has to be asked."""
        target = self._lookup.peek(claimed.event.integration_id, claimed.pinned)
        return None if target is None or target.integration.account_bound else self._begun(claimed, target)

    async def _find_in_store(self, claimed: Claimed) -> Delivery | None:
        """With what the event's account adds; None = the integration is gone."""
        lane, account_id = claimed.event.integration_id, claimed.event.account_id
        target = self._lookup.peek(lane, claimed.pinned) or await self._lookup.load(lane, claimed.pinned)
        if target is None:
            return None
        delivery = self._begun(claimed, target)
        if target.integration.account_bound and account_id is not None and delivery.url:
            await self._accounts.lead(delivery, account_id)
        return delivery

    async def _as_published(self, delivery: Delivery) -> Delivery | None:
        """With the revision that is published now, when that one sends the type elsewhere than to a URL that is gone.

        The settlement records it, as a redelivery does. None: nothing goes to the URL, and the type nowhere.
        """
        claimed, lane = delivery.claimed, delivery.claimed.event.integration_id
        published = await self._lookup.published(lane) if claimed.revision != WORKING else None
        if published is None or published.integration.account_bound:
            return delivery
        chosen = claimed._replace(state=claimed.state._replace(revision=published.revision.number))
        redirected = self._begun(chosen, published)
        if redirected.url and redirected.url != delivery.url:
            return redirected
        return delivery if delivery.url in published.revision.urls.values() else None

    def _held_again(self, delivery: Delivery, suspended: SuspendedUrls) -> Delivered:
        """Nothing was published in the place of its URL: it stays parked."""
        limits, url = delivery.target.revision.limits, delivery.url
        return Delivered(gone(delivery.claimed, url), limits, suspend_url=None if url in suspended.now else url)

    def _begun(self, claimed: Claimed, target: Target) -> Delivery:
        url = target.revision.urls.get(TYPE_RULES[claimed.event.type].url_field) or ""
        return Delivery(claimed, target, url, self._clock.now_ms(), time.perf_counter())

    def _unsent(self, delivery: Delivery, ending: Ending) -> Delivered:
        if isinstance(ending, Reading):
            return self._attempted(delivery, ending)
        if isinstance(ending, Verdict):
            ending = settle(delivery, Decision(Status.SKIPPED), ending, None, self._clock.now_ms())
        return Delivered(ending, delivery.target.revision.limits)

    async def _attempt(self, delivery: Delivery) -> Delivered:
        reading = await self._sender.send(delivery)
        if reading.http_status == 401 and delivery.approach is not None:
            await self._accounts.refused(delivery)
        if reading.put_off_s is None:
            return self._attempted(delivery, reading)
        waits = put_off(delivery.claimed, reading.put_off_s)
        return Delivered(waits, delivery.target.revision.limits, crowded=reading.crowded)

    def _attempted(self, delivery: Delivery, reading: Reading) -> Delivered:
        verdict, now_ms = reading.verdict, self._clock.now_ms()
        attempt = record(delivery, reading, self._worker_id)
        decision = decide(delivery, reading, now_ms)
        settlement = settle(delivery, decision, verdict, attempt, now_ms)
        if verdict.outcome not in AS_PLANNED or self._log_all:
            log_attempt(settlement, attempt)
        suspended = delivery.url if verdict.suspend_url else None
        return Delivered(settlement, delivery.target.revision.limits, reading, suspended, delivery.teaches)


def _judged(delivery: Delivery) -> Judgement:
    """The ruling of its filter, which rarely looks into the contents."""
    chosen, claimed = delivery.target.filter, delivery.claimed
    return chosen.judge(claimed.whole() if chosen.parts else claimed.event)


def hidden(delivery: Delivery, reading: Reading) -> tuple[str, ...]:
    """Texts to keep out of all that is stored of the answer: a host may repeat whatever it was sent."""
    secrets, bearer = delivery.target.secrets + delivery.secrets, reading.authorization.bearer
    if delivery.approach is not None and delivery.approach.secret:
        secrets += (delivery.approach.secret,)
    return (*secrets, bearer) if bearer else secrets


def address_of(delivery: Delivery, reading: Reading) -> str:
    """The address of the attempt, as it was sent: without a token no further than to the token endpoint."""
    if reading.verdict.outcome is Outcome.TOKEN_FAILED:
        return sent_url(delivery.target.credentials.token_uri)
    if reading.sent_ms is None:
        return delivery.url
    url = sent_url(delivery.url)
    return asked_with(url, delivery.query) if delivery.query else url


def record(delivery: Delivery, reading: Reading, worker_id: str) -> Attempt:
    """The attempt as it is kept, free of secrets."""
    verdict, secrets, body = reading.verdict, hidden(delivery, reading), reading.body
    if body and delivery.claimed.event.type in STEP_TYPES:
        body = essence(body)
    return Attempt(
        n=delivery.claimed.n,
        started_ms=delivery.started_ms,
        duration_ms=(time.perf_counter() - delivery.begun_s) * 1000,
        url=address_of(delivery, reading),
        outcome=verdict.outcome,
        http_status=reading.http_status,
        error_code=verdict.error_code,
        error_detail=scrub(verdict.message, secrets) if verdict.message else None,
        response_body=scrub(body, secrets) if body else None,
        token_fetched=reading.authorization.fetched,
        worker=worker_id,
        resent=delivery.resent,
        phases=reading.phases,
        response_headers=scrubbed(reading.headers, secrets) if reading.headers else None,
    )


def decide(delivery: Delivery, reading: Reading, now_ms: int) -> Decision:
    """The event's next status and when it is due; DEAD when another attempt is wanted and none is left."""
    status = reading.verdict.status
    if status is Status.RETRYING:
        return retried(delivery, reading.retry_after_s, now_ms)
    if status is Status.AWAITING_RESULT:
        return Decision(status, int(delivery.target.result_deadline_s * 1000))
    return _AS_IT_IS[status]


def settle(
    delivery: Delivery, decision: Decision, verdict: Verdict, attempt: Attempt | None, now_ms: int
) -> Settlement:
    """All that is written of it, with the notification to ``eventStatusUrl`` if one is due."""
    claimed, message = delivery.claimed, attempt.error_detail if attempt else verdict.message
    error = {"code": verdict.error_code, "message": message} if verdict.error_code else None
    notice, revision = None, delivery.target.revision
    if is_notified(claimed.event, revision, decision.to):
        notice = status_notice(
            claimed.whole(),
            revision,
            decision.to,
            attempts=claimed.n,
            error=error,
            answered=verdict.account_identifier,
            known=claimed.account_identifier,
            now_ms=now_ms,
        )
    return Settlement(
        claimed,
        decision.to,
        decision.delay_ms,
        attempt,
        error_code=verdict.error_code,
        error_message=message,
        account_identifier=verdict.account_identifier,
        notification=notice,
    )
