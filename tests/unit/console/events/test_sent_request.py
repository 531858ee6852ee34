"""The request of an attempt, rebuilt: what was sent, where, and no secret of it."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from itertools import pairwise

from dispatcher.console.events.sent_request import HIDDEN, curl, rebuilt
from dispatcher.model.attempt import Attempt, Outcome
from dispatcher.model.event import EventState
from dispatcher.model.integration import (
    BodyFormat,
    CredentialType,
    Header,
    NotificationStyle,
    OutboundCredentials,
    Revision,
)
from dispatcher.model.status import Status
from tests.events import event_of

EVENT = event_of("lane", 8, payload={"note": "it's"})
STATE = EventState(Status.RETRYING, 1_800_000_000_000, sequence=4)
ATTEMPT = Attempt(2, 1_800_000_001_500, 8.0, "https://h.example/hook?a=b&c", Outcome.HTTP_ERROR, 500)
REVISION = Revision(
    number=1,
    credentials=OutboundCredentials(CredentialType.OAUTH2),
    headers=(Header("X-Key", "sealed", secret=True), Header("X-Shop", "7")),
)


def rebuild(revision: Revision = REVISION) -> tuple[str, dict[str, str], bytes | None, str]:
    made = rebuilt(EVENT, STATE, revision, ATTEMPT, base_url="https://d.example", partner="ACME")
    return f"{made.method} {made.url}", dict(made.headers), made.body, curl(made)


def test_it_is_what_was_sent_without_secrets() -> None:
    line, headers, body, _ = rebuild()
    assert line == "POST https://h.example/hook?a=b&c"
    assert json.loads(body or b"")["payload"]["note"] == "it's"
    assert (headers["X-Key"], headers["X-Shop"], headers["Authorization"]) == (HIDDEN, "7", f"Bearer {HIDDEN}")
    assert (headers["webhook-id"], headers["webhook-timestamp"], headers["x-delivery-attempt"]) == (
        EVENT.id,
        "1800000001",
        "2",
    )


def test_curl_sends_it_as_it_was_and_leaves_secrets_out() -> None:
    _, headers, body, line = rebuild()
    words = shlex.split(line.replace("\\\n", " "))
    assert words[:2] == ["curl", "https://h.example/hook?a=b&c"]
    sent = {word.partition(": ")[0] for flag, word in pairwise(words) if flag == "-H"}
    assert sent == {name for name, value in headers.items() if HIDDEN not in value}
    assert words[-2:] == ["--data-raw", (body or b"").decode()]


def test_other_forms_are_rebuilt_as_they_are_sent() -> None:
    line, _, body, command = rebuild(replace(REVISION, style=NotificationStyle.EVENT_URL_GET))
    assert (line.split()[0], body, "--data-raw" in command) == ("GET", None, False)
    _, headers, body, _ = rebuild(replace(REVISION, format=BodyFormat.CLOUDEVENTS))
    assert headers["Content-Type"] == "application/cloudevents+json"
    assert json.loads(body or b"")["data"]["payload"]["note"] == "it's"
