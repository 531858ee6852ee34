"""Exemplars: of each bucket of a histogram the last observation that was traced. A figure leads to a trace. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

SHOWN_MS = 3_600_000
"""Older ones lead to traces that few keep."""
_SAMPLED = 1


class Exemplar(NamedTuple):
    """One observation. ``at_ms``: epoch milliseconds."""

    trace_id: str
    seconds: float
    at_ms: int

    def kept(self) -> str:
        return f"{self.trace_id} {self.seconds:.6f} {self.at_ms}"


Exemplars = Mapping[str, Exemplar]
"""By the counter of their bucket, as in ``attempt_seconds:le:0.05``."""
NO_EXEMPLARS: Exemplars = MappingProxyType({})


def read_exemplar(kept: str) -> Exemplar | None:
    """None for what ``Exemplar.kept`` cannot have written."""
    parts = kept.split(" ")
    try:
        trace_id, seconds, at_ms = parts
        return Exemplar(trace_id, float(seconds), int(at_ms))
    except ValueError:
        return None


def sampled_trace_id(traceparent: str | None) -> str | None:
    """Of a trace that its emitter recorded (W3C trace context, version 0)."""
    if traceparent is None or not int(traceparent[-2:], 16) & _SAMPLED:
        return None
    return traceparent[3:35]
