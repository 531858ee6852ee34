"""Notifications as the reference library signs them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from standardwebhooks import Webhook

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NOW = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)
NOW_S = NOW.timestamp()


def signed(body: bytes, secret: str = SECRET, msg_id: str = "e-1", age_s: float = 0) -> dict[str, str]:
    moment = NOW - timedelta(seconds=age_s)
    return {
        "webhook-id": msg_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(secret).sign(msg_id, moment, body.decode()),
    }


def notification(kind: str, payload: Any = None, **more: Any) -> bytes:
    """A body as the dispatcher sends it."""
    document = {"id": "e-1", "type": kind, "sequence": 1, "flag": None, "accountId": "acme", "payload": payload or {}}
    return json.dumps(document | more).encode()
