"""Trace context as of W3C (https://www.w3.org/TR/trace-context/): what an emitter sent is kept and sent on. Pure.

Whoever emits is not refused for a context that cannot be read: it is left out, as the recommendation has it (§3.2.1).
"""

from __future__ import annotations

import re
from typing import NamedTuple

TRACEPARENT = "traceparent"
_VERSION_0 = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_LATER = re.compile(r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-[\x21-\x7e]{0,512})?")


class TraceContext(NamedTuple):
    """Ids in lower-case hexadecimal; ``flags`` as two such digits."""

    trace_id: str
    span_id: str
    flags: str

    def __str__(self) -> str:
        """The header, in version 0."""
        return f"00-{self.trace_id}-{self.span_id}-{self.flags}"


def read_traceparent(value: str) -> TraceContext | None:
    """None for what is no context. Of a later version its first four parts count (§3.2.4)."""
    found = _VERSION_0.fullmatch(value) or (None if value.startswith("00") else _LATER.fullmatch(value))
    if found is None or not int(found[1], 16) or not int(found[2], 16):
        return None
    return TraceContext(found[1], found[2], found[3])
