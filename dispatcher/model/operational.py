"""Operational events: notes to operators about integrations, beside the events of the marketplace."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

OPERATIONS = "00000000-0000-4000-8000-000000000000"
"""The integration that operational events belong to. It is made of settings, is in no list, and never changes."""

OPERATIONS_URL = "operationsUrl"


class OperationalKind(StrEnum):
    """The value is what the operator's URL reads in ``type``."""

    CREDENTIALS_FAILING = "credentials.failing"
    CREDENTIALS_AUTHORIZED = "credentials.authorized"
    CIRCUIT_OPENED = "circuit.opened"
    CIRCUIT_CLOSED = "circuit.closed"
    EVENT_DEAD = "event.dead"
    URL_SUSPENDED = "url.suspended"
    INTEGRATION_PAUSED = "integration.paused"
    INTEGRATION_RESUMED = "integration.resumed"
    INTEGRATION_FAILING = "integration.failing"
    INTEGRATION_DISABLED = "integration.disabled"
    INTEGRATION_ENABLED = "integration.enabled"
    PROBLEM_OPENED = "problem.opened"
    PROBLEM_ENDED = "problem.ended"
    INTEGRATION_PUBLISHED = "integration.published"
    PRODUCT_LINKED = "product.linked"
    PRODUCT_UNLINKED = "product.unlinked"
    SIGNING_KEY_ROTATED = "signing_key.rotated"


@dataclass(frozen=True, slots=True)
class OperationalEvent:
    """One event. ``detail`` goes into the message as it is, so it never holds a secret.

    ``integration_id`` None: of the deployment. ``topic`` tells apart what must not be one message.
    """

    kind: OperationalKind
    integration_id: str | None
    at_ms: int
    event_id: str | None = None
    detail: Mapping[str, str | int | None] = field(default_factory=dict)
    topic: str = ""


@dataclass(frozen=True, slots=True)
class Bundle:
    """Events of one kind that make one message. ``integration_id`` None: of several integrations."""

    integration_id: str | None
    first: OperationalEvent
    last: OperationalEvent
    count: int = 1


Notify = Callable[[OperationalEvent], None]


def to_nobody(_: OperationalEvent) -> None:
    """For a deployment in which no operator listens."""
