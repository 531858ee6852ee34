"""The request of an attempt, rebuilt from the event, its revision and the attempt, without any secret. Pure.

It is not what was kept: nothing of a request is. Whoever shows it says so.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from dispatcher.clock import iso_ms
from dispatcher.model.attempt import Attempt
from dispatcher.model.event import Event, EventState
from dispatcher.model.event_type import STEP_TYPES
from dispatcher.model.integration import BodyFormat, CredentialType, NotificationStyle, Revision
from dispatcher.policy.notification.body import build_body
from dispatcher.policy.notification.cloud_event import CLOUD_EVENT, enveloped
from dispatcher.policy.notification.trace_context import TRACEPARENT

HIDDEN = "•••"


@dataclass(frozen=True, slots=True)
class SentRequest:
    """``body`` None: it was a GET. A value that is a secret is ``HIDDEN``."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes | None


def rebuilt(
    event: Event, state: EventState, revision: Revision, attempt: Attempt, *, base_url: str, partner: str
) -> SentRequest:
    """As ``revision`` has it sent."""
    own = [(header.name, HIDDEN if header.secret else header.value) for header in revision.headers]
    if revision.credentials.type in _AUTHORIZED:
        own.append(("Authorization", f"{_AUTHORIZED[revision.credentials.type]} {HIDDEN}"))
    headers = [
        *own,
        ("webhook-id", event.id),
        ("webhook-timestamp", str(attempt.started_ms // 1000)),
        ("webhook-signature", HIDDEN),
        ("x-event-type", event.type.value),
        ("x-delivery-attempt", str(attempt.n)),
        *([(TRACEPARENT, event.trace)] if event.trace else []),
    ]
    if revision.style is NotificationStyle.EVENT_URL_GET and event.type not in STEP_TYPES:
        return SentRequest("GET", attempt.url, tuple(headers), None)
    body = build_body(event, state, base_url=base_url, partner=partner, account_identifier=state.account_identifier)
    kind = "application/json"
    if revision.format is BodyFormat.CLOUDEVENTS:
        kind, body = CLOUD_EVENT, enveloped(event, iso_ms(state.created_ms), base_url, body)
    return SentRequest("POST", attempt.url, (("Content-Type", kind), *headers), body)


def curl(request: SentRequest) -> str:
    """A line for a shell. Secrets are left out: whoever runs it puts in its own."""
    lines = [f"curl {shlex.quote(request.url)}"]
    lines += [f"  -H {shlex.quote(f'{name}: {value}')}" for name, value in request.headers if HIDDEN not in value]
    if request.body is not None:
        lines.append(f"  --data-raw {shlex.quote(request.body.decode())}")
    return " \\\n".join(lines)


_AUTHORIZED = {CredentialType.OAUTH2: "Bearer", CredentialType.BASIC: "Basic"}
