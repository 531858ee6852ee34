"""The reason why an event is where it is, in one sentence each. Decides nothing and reads nothing."""

from __future__ import annotations

from dispatcher.clock import iso_ms
from dispatcher.model.queue import INTEGRATION_DELETED, Explanation, Reason
from dispatcher.policy.answers.outcome import GONE

SENTENCES: dict[Reason, str] = {
    Reason.DELIVERED: "The product host confirmed the event.",
    Reason.REFUSED: "The product host received the event and answered that it failed; redeliver it once fixed.",
    Reason.DEAD: "Every attempt has been used up; redeliver the event once its host can take it, or resolve it.",
    Reason.EXPIRED: "The product host answered 202 and then reported no result in time; redeliver or resolve it.",
    Reason.SKIPPED: "The integration has no URL for this type of event, so there was nothing to send.",
    Reason.FILTERED: "The filter of the integration leaves this event out, so it was not sent.",
    Reason.RESOLVED: "Someone closed the event by hand; nothing more is sent.",
    Reason.IN_FLIGHT: "An attempt is under way right now.",
    Reason.BEHIND: "It waits for an earlier event of the same account, which has to end first.",
    Reason.RETRY_PLANNED: "The last attempt failed and the next one is planned.",
    Reason.PUT_OFF: "A worker put it off before its first attempt: its type was paused, or it could not begin.",
    Reason.AWAITING_RESULT: "The product host answered 202 and has yet to report the result.",
    Reason.PAUSED: "The integration is paused; resume it to let its events go on.",
    Reason.TYPE_PAUSED: "This type of event is paused in all integrations; resume the type to let its events go on.",
    Reason.CIRCUIT_OPEN: "The product host could not be reached several times in a row, so its circuit is open.",
    Reason.SLOWED_DOWN: "The product host asked to be sent less for a while.",
    Reason.SHARE_USED: "Slow hosts and names of its vendor take up the vendor's share of a worker for the moment.",
    Reason.RATE_LIMITED: "The rate limit of the integration is used up for the moment.",
    Reason.CONCURRENCY: "As many attempts as the integration allows are under way.",
    Reason.URL_SUSPENDED: "Its URL answered 410 Gone and is suspended; resume the integration once it works.",
    Reason.URL_HALF_OPEN: "A URL that answered 410 Gone was enabled, and one event finds out first if it works.",
    Reason.UPDATE_IN_PROGRESS: "A managed update of what the account installed is in progress and has to end first.",
    Reason.CREDENTIALS_REFUSED: "The product host refuses the account's credentials; give its connector new ones.",
    Reason.NO_WORKER: "No worker holds its partition; start a worker, or wait for one to take over.",
    Reason.READY: "It is due and will be claimed in a moment.",
}


_DEAD_BEFORE_ITS_TIME: dict[str, str] = {
    GONE: "Its host answered 410 Gone, so it was not tried again; publish another URL or enable this one, "
    "and redeliver the event, or resolve it.",
    INTEGRATION_DELETED: "It can be sent nowhere any more, and was not tried again.",
}
"""By the beginning of the detail."""


_AT_THE_LATEST = "This lasts until {} at the latest."
_UNTIL = {Reason.RETRY_PLANNED: "It is due at {}.", Reason.PUT_OFF: "It is due at {}."}


def sentence(explanation: Explanation) -> str:
    """The reason as a person would say it, with what is known of who, until when and why."""
    parts = [_first(explanation)]
    if explanation.blocked_by:
        parts.append(f"That event is {explanation.blocked_by}.")
    if explanation.cause is not None:
        parts.append(f"The event in front: {sentence(explanation.cause)}")
    if explanation.until_ms is not None:
        parts.append(_UNTIL.get(explanation.reason, _AT_THE_LATEST).format(iso_ms(explanation.until_ms)))
    if explanation.detail:
        parts.append(f"Detail: {explanation.detail.rstrip('.')}.")
    return " ".join(parts)


_IN_A_RUN = "A worker has it at hand, and sends it once the host has taken an earlier event of the same account."


def _first(explanation: Explanation) -> str:
    if explanation.reason is Reason.IN_FLIGHT and explanation.blocked_by:
        return _IN_A_RUN
    if explanation.reason is Reason.DEAD:
        for begun, text in _DEAD_BEFORE_ITS_TIME.items():
            if (explanation.detail or "").startswith(begun):
                return text
    return SENTENCES[explanation.reason]
