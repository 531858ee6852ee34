"""A bulk action as it was previewed, sealed: whoever confirms it gets what was shown, or nothing."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import orjson

from dispatcher.errors import Conflict
from dispatcher.store.secrets.sealing import Sealer, SealError

GOOD_MS = 600_000
_CONTEXT = "console:bulk"


@dataclass(frozen=True, slots=True)
class Plan:
    """``id`` becomes the job's, so that confirming twice starts one. ``asked``: the filter with absolute times."""

    id: str
    session_id: str
    action: str
    asked: str
    rate_per_s: float | None
    matched: int
    cut_off_ms: int

    def sealed(self, sealer: Sealer) -> str:
        return sealer.seal(orjson.dumps(asdict(self)).decode(), _CONTEXT)

    def check(self, session_id: str, action: str, asked: str, now_ms: int) -> None:
        """Raises ``Conflict`` unless it is this session's plan, of this action and filter, and fresh."""
        if (self.session_id, self.action, self.asked) != (session_id, action, asked):
            raise _not_previewed()
        if not 0 <= now_ms - self.cut_off_ms < GOOD_MS:
            raise Conflict.of(
                "preview_expired", "The preview is older than 10 minutes: ask for it again, then confirm."
            )


def opened(text: str, sealer: Sealer) -> Plan:
    """The plan of a form of ours. Raises ``Conflict`` for any other text."""
    try:
        return Plan(**orjson.loads(sealer.open(text, _CONTEXT)))
    except (SealError, TypeError, ValueError):
        raise _not_previewed() from None


def _not_previewed() -> Conflict:
    text = "This is not what was previewed: ask for the preview of this filter again, then confirm it."
    return Conflict.of("not_previewed", text)
