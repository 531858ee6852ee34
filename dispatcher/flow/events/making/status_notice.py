"""Status notifications: an event that becomes terminal or awaits a result makes one for ``eventStatusUrl``.

Never for the notification itself, for STATELESS events, or where no such URL is configured.
"""

from __future__ import annotations

from dispatcher.ids import new_event_id
from dispatcher.model.event import Event
from dispatcher.model.event_type import STEP_TYPES, TYPE_RULES, EventType
from dispatcher.model.integration import Revision
from dispatcher.model.status import TERMINAL, Status
from dispatcher.policy.notification.body import status_payload

_NOT_NOTIFIED = STEP_TYPES | {EventType.SUBSCRIPTION_STATUS}
STATUS_URL = TYPE_RULES[EventType.SUBSCRIPTION_STATUS].url_field


def is_notified(event: Event, revision: Revision, status: Status) -> bool:
    """True when somebody is to be notified of ``status``. Looks at no contents."""
    if event.type in _NOT_NOTIFIED or event.flag == "STATELESS" or STATUS_URL not in revision.urls:
        return False
    return status in TERMINAL or status is Status.AWAITING_RESULT


def status_notice(
    event: Event,
    revision: Revision | None,
    status: Status,
    *,
    attempts: int,
    error: dict[str, str | None] | None,
    answered: str | None,
    known: str | None,
    now_ms: int,
) -> Event | None:
    """The SUBSCRIPTION_STATUS event about ``status``, or None when nobody is to be notified.

    ``answered``: the ``accountIdentifier`` that the host has just given; ``known``: the one that it gave before.
    """
    if revision is None or not is_notified(event, revision, status):
        return None
    identifier = _identifier(event, answered, known)
    account = {"accountIdentifier": identifier} if identifier else None
    return Event(
        id=new_event_id(now_ms, int(event.id[-3:], 16)),
        type=EventType.SUBSCRIPTION_STATUS,
        integration_id=event.integration_id,
        revision=revision.number,
        product_id=event.product_id,
        account_id=event.account_id,
        subscription_id=event.subscription_id,
        flag=event.flag,
        payload=status_payload(event.id, event.type, status, attempts, error, account),
        trace=event.trace,
    )


def _identifier(event: Event, answered: str | None, known: str | None) -> str | None:
    """The host's name for the account: the answer to an order gives it, and every later event carries it."""
    if event.type is EventType.SUBSCRIPTION_ORDER:
        return answered or known
    account = (event.payload or {}).get("account")
    carried = account.get("accountIdentifier") if isinstance(account, dict) else None
    return (carried if isinstance(carried, str) else None) or known or answered
