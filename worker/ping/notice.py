"""A genuine notification to be tampered with, and a host's answer to it. Never judges an answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import aiohttp

from dispatcher.model.ping import PingResult
from dispatcher.policy.answers.body import read_fields
from dispatcher.policy.notification.signing import SigningKey, sign
from worker.delivery.delivery import Delivery
from worker.ping.delivery import PingContext

REFUSING_CODES = frozenset({"UNAUTHORIZED", "FORBIDDEN"})
"""With ``success: false`` a refusal, though its HTTP status is 200: many hosts answer 200 to everything."""


@dataclass(frozen=True, slots=True)
class Answer:
    """``status`` None: none came. ``says``: fields of its body."""

    status: int | None
    says: Mapping[str, object]

    @property
    def taken(self) -> bool:
        """True when the host took the notification."""
        if self.status is None or not 200 <= self.status < 300:
            return False
        refused = str(self.says.get("success")).lower() == "false"
        return not (refused and str(self.says.get("errorCode")).upper() in REFUSING_CODES)

    def __str__(self) -> str:
        return "no answer" if self.status is None else f"HTTP {self.status}"


@dataclass(frozen=True, slots=True)
class Host:
    """One URL, with the token that opens it."""

    context: PingContext
    pinged: PingResult
    token: str | None

    def notice(self) -> Delivery:
        """A genuine one with an id of its own: a host that only looks for ids that it knows is found out."""
        made = self.context.delivery(self.pinged.event_type, self.pinged.url or "")
        self.context.sender.prepare(made)
        if self.token is not None:
            made.headers["Authorization"] = f"Bearer {self.token}"
        self.context.sender.sign(made)
        return made


def sign_anew(notice: Delivery, keys: Sequence[SigningKey], timestamp_s: int) -> None:
    """As whoever holds these keys would have signed it at that time."""
    notice.headers["webhook-timestamp"] = str(timestamp_s)
    notice.headers["webhook-signature"] = sign(keys, notice.claimed.event.id, timestamp_s, notice.body)


async def send(context: PingContext, notice: Delivery) -> Answer:
    """As it is, without any other step."""
    target = notice.target
    try:
        got = await context.sessions.post(
            target.route,
            notice.url,
            notice.body,
            notice.headers,
            timeout_s=target.timeout_s,
            fresh=True,
            query=notice.query,
        )
    except (aiohttp.ClientError, OSError, ValueError):
        return Answer(None, {})
    return Answer(got.status, read_fields(got.body.data, got.headers.get("Content-Type")) or {})
