"""A host's handling of a notification: check it, know it again when it is repeated, answer by its type. No I/O."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dispatcher.policy.notification.signing import parse_verifying_key
from dispatcher.policy.notification.verification import verify

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Notification:
    """One request as it was received and judged. ``genuine``: ``text`` says why, or what is wrong."""

    event_id: str
    type: str
    attempt: int
    flag: str | None
    genuine: bool
    text: str
    authorised: bool
    repeated: bool
    status: int
    answer: Answer
    received_s: float


class Inbox:
    """Answers once per event: a repeated ``webhook-id`` gets the first answer again and does no work twice."""

    def __init__(self) -> None:
        self.notifications: list[Notification] = []
        self._answers: dict[str, Answer] = {}
        self._secret: str | None = None
        self._accounts = 0
        self._unavailable = 0

    def trust(self, signing_secret: str) -> None:
        """Check signatures with this ``whsec_`` secret or ``whpk_`` public key; until then nothing is genuine."""
        parse_verifying_key(signing_secret)
        self._secret = signing_secret

    def be_unavailable(self, times: int) -> None:
        """Answer 503 to the next ``times`` genuine notifications, so that retries can be seen."""
        self._unavailable = times

    def take(self, headers: Mapping[str, str], body: bytes, *, authorised: bool, now_s: float) -> Notification:
        """Judge and answer one request, and keep it."""
        genuine, text = self._judge(headers, body, now_s)
        document = _object(body)
        event_id = headers.get("webhook-id", "")
        status, answer = 401, {"success": False, "errorCode": "UNAUTHORIZED", "message": text}
        repeated = event_id in self._answers
        if genuine and authorised:
            status, answer = self._answer(event_id, document)
        kept = Notification(
            event_id=event_id,
            type=str(document.get("type", "")),
            attempt=_number(headers.get("x-delivery-attempt", "")),
            flag=document.get("flag"),
            genuine=genuine,
            text=text,
            authorised=authorised,
            repeated=repeated,
            status=status,
            answer=answer,
            received_s=now_s,
        )
        self.notifications.append(kept)
        return kept

    def _judge(self, headers: Mapping[str, str], body: bytes, now_s: float) -> tuple[bool, str]:
        if self._secret is None:
            return False, "the signing secret is not known yet"
        found = verify(
            [parse_verifying_key(self._secret)],
            headers.get("webhook-id", ""),
            headers.get("webhook-timestamp", ""),
            headers.get("webhook-signature", ""),
            body,
            now_s=now_s,
        )
        return found.genuine, found.text

    def _answer(self, event_id: str, document: Mapping[str, Any]) -> tuple[int, Answer]:
        if self._unavailable > 0:
            self._unavailable -= 1
            return 503, {"success": False, "message": "busy, try again"}
        if document.get("flag") == "STATELESS":
            return 200, {"success": True, "message": "ping"}
        if event_id not in self._answers:
            self._answers[event_id] = self._work(document)
        return 200, self._answers[event_id]

    def _work(self, document: Mapping[str, Any]) -> Answer:
        if document.get("type") != "SUBSCRIPTION_ORDER":
            return {"success": True}
        self._accounts += 1
        return {"success": True, "accountIdentifier": f"sample-{self._accounts}"}


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
