"""A notification to try a listener with, as a ready ``curl``: a test that is signed with the tap's own secret."""

from __future__ import annotations

import shlex

from dispatcher.catalogue.samples import sample_payload
from dispatcher.cli.listen.rendering import Rendered, signed_headers
from dispatcher.ids import new_uuid
from dispatcher.model.event import Event, EventState
from dispatcher.model.event_type import EventType
from dispatcher.model.integration import WORKING
from dispatcher.model.status import Status
from dispatcher.policy.answers.outcome import STATELESS
from dispatcher.policy.notification.body import build_body
from dispatcher.policy.notification.signing import parse_secret

NOWHERE, PARTNER = "https://marketplace.invalid", "ACME"


def trial(now_s: int) -> Rendered:
    """An order that asks for nothing: hosts answer a test with success, and do nothing."""
    kind = EventType.SUBSCRIPTION_ORDER
    event = Event(new_uuid(), kind, integration_id="", revision=WORKING, flag=STATELESS, payload=sample_payload(kind))
    state = EventState(Status.QUEUED, created_ms=now_s * 1000)
    body = build_body(event, state, base_url=NOWHERE, partner=PARTNER, account_identifier=None)
    return Rendered(event.id, kind.value, None, body, "application/json")


def curl(one: Rendered, to: str, secret: str, now_s: int) -> str:
    """The command for a shell. Its signature is good for five minutes, as every timestamp is."""
    headers = signed_headers(one, parse_secret(secret), 1, now_s)
    named = [part for name, value in headers.items() for part in ("-H", f"{name}: {value}")]
    return shlex.join(["curl", to, *named, "--data-binary", one.body.decode()])
