"""A session that a frame could not keep goes on in a window: by a ticket that opens it there once, for five minutes."""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass

import orjson

from dispatcher.marketplace.entrance.visit import Visit
from dispatcher.store.secrets.sealing import Sealer, SealError

LIFE_S = 300
QUERY = "ticket"
PATH = "/account/handover"
_CONTEXT = "marketplace:handover"


@dataclass(frozen=True, slots=True)
class Handover:
    """``id``: spent by the first who uses it."""

    id: str
    until_s: int
    visit: Visit
    to: str | None = None
    """Address to go on at, within the marketplace; None = its home."""


def ticket(visit: Visit, sealer: Sealer, now_s: float, to: str | None = None) -> str:
    made = {"id": secrets.token_urlsafe(16), "until_s": int(now_s) + LIFE_S, "visit": asdict(visit), "to": to}
    return sealer.seal(orjson.dumps(made).decode(), _CONTEXT)


def handover(text: str, sealer: Sealer, now_s: float) -> Handover | None:
    """The session that a ticket of ours hands over; None for any other text, and when it is too late."""
    try:
        made = orjson.loads(sealer.open(text, _CONTEXT))
        found = Handover(made["id"], made["until_s"], Visit.read(made["visit"]), made["to"])
    except (SealError, KeyError, TypeError, ValueError):
        return None
    return found if now_s < found.until_s else None
