"""Events, attempts, explanations and pages as JSON. Never reads anything."""

from __future__ import annotations

from typing import Any

from dispatcher.clock import iso_ms
from dispatcher.flow.events.reading.explain import sentence
from dispatcher.model.attempt import Attempt, Phases
from dispatcher.model.queue import Explanation, Page, StoredEvent
from dispatcher.policy.notification.body import event_url


def event_json(stored: StoredEvent, base_url: str) -> dict[str, Any]:
    event, state = stored.event, stored.state
    error = {"code": state.error_code, "message": state.error_message} if state.error_code else None
    return {
        "id": event.id,
        "eventUrl": event_url(base_url, event.id),
        "type": event.type.value,
        "status": state.status.value,
        "productId": event.product_id,
        "accountId": event.account_id,
        "integrationId": event.integration_id,
        "subscriptionId": event.subscription_id,
        "revision": (event.revision if state.revision is None else state.revision) or None,
        "sequence": state.sequence,
        "flag": event.flag,
        "createdOn": state.created_ms,
        "createdAt": iso_ms(state.created_ms),
        "attempts": state.attempts,
        "nextAttemptAt": None if state.consumed else iso_or_none(state.due_ms),
        "resultDeadline": iso_or_none(state.result_deadline_ms),
        "consumed": state.consumed,
        "successful": state.successful,
        "asynchronous": state.asynchronous,
        "manuallyResolved": state.manually_resolved,
        "accountIdentifier": state.account_identifier,
        "error": error,
        "payload": event.payload,
        "payloadExpunged": state.expunged_ms is not None,
        "creator": event.creator,
    }


def page_json(page: Page, base_url: str) -> dict[str, Any]:
    body = {"data": [event_json(stored, base_url) for stored in page.items], "nextCursor": page.next_cursor}
    return body if page.searched_to_ms is None else body | {"searchedTo": iso_ms(page.searched_to_ms)}


def attempt_json(attempt: Attempt) -> dict[str, Any]:
    return {
        "n": attempt.n,
        "startedAt": iso_ms(attempt.started_ms),
        "durationMs": attempt.duration_ms,
        "url": attempt.url,
        "httpStatus": attempt.http_status,
        "outcome": attempt.outcome.value,
        "errorCode": attempt.error_code,
        "errorDetail": attempt.error_detail,
        "responseBody": attempt.response_body,
        "tokenFetched": attempt.token_fetched,
        "resent": attempt.resent,
        "worker": attempt.worker,
        "phases": phases_json(attempt.phases),
        "responseHeaders": attempt.response_headers,
    }


def phases_json(phases: Phases | None) -> dict[str, float] | None:
    return None if phases is None else {f"{name}Ms": ms for name, ms in phases._asdict().items()}


def explanation_json(found: Explanation) -> dict[str, Any]:
    body = {"status": found.status.value, "reason": found.reason.value, "text": sentence(found)}
    optional = {
        "until": iso_or_none(found.until_ms),
        "blockedBy": found.blocked_by,
        "cause": explanation_json(found.cause) if found.cause else None,
    }
    return body | {name: value for name, value in optional.items() if value}


def iso_or_none(epoch_ms: int | None) -> str | None:
    return None if epoch_ms is None else iso_ms(epoch_ms)
