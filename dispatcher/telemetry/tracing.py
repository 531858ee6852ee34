"""Spans of OpenTelemetry, where a deployment sends them somewhere. The extra ``otel`` makes and sends them.

Nothing else imports OpenTelemetry, and this imports it only once somebody is to be told. Which spans are kept follows
the SDK's own variables (``OTEL_TRACES_SAMPLER``, ``OTEL_RESOURCE_ATTRIBUTES`` …). Spans hold ids and statuses: no URL,
no payload, nothing of credentials.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from dispatcher.errors import ConfigurationError
from dispatcher.policy.notification.trace_context import TraceContext, read_traceparent

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span as OtelSpan
    from opentelemetry.trace import Tracer

Attribute = str | int | float | bool
SERVER, CLIENT, INTERNAL = "SERVER", "CLIENT", "INTERNAL"
_MISSING = (
    "DISPATCHER_TRACES_URL is set, and the extra that sends spans is not installed: "
    "pip install 'marketplace-dispatcher[otel]', or unset it"
)


class Span:
    """One step. Times are nanoseconds since 1970; without one it is now."""

    __slots__ = ("_span", "_tracer", "traceparent")

    def __init__(self, tracer: Tracer, span: OtelSpan) -> None:
        self._tracer = tracer
        self._span = span
        context = span.get_span_context()
        ids = f"{context.trace_id:032x}", f"{context.span_id:016x}", f"{context.trace_flags:02x}"
        self.traceparent = str(TraceContext(*ids))
        """The header for whoever takes the next step."""

    def child(self, name: str, kind: str = INTERNAL, started_ns: int | None = None) -> Span:
        """A step within this one."""
        return _begin(self._tracer, name, self._span, kind, started_ns)

    def end(self, problem: str | None = None, **attributes: Attribute | None) -> None:
        """``problem``: why it did not do what it should."""
        from opentelemetry.trace import Status, StatusCode

        for name, value in attributes.items():
            if value is not None:
                self._span.set_attribute(f"dispatcher.{name}", value)
        if problem is not None:
            self._span.set_status(Status(StatusCode.ERROR, problem))
        self._span.end()


class Tracing:
    """One per process."""

    def __init__(self, service: str, url: str) -> None:
        """``url``: where spans go by OTLP over HTTP. Raises ``ConfigurationError`` without the extra."""
        self._provider = _provider(service, url)
        self._tracer = self._provider.get_tracer("dispatcher")

    def span(self, name: str, parent: str | None, kind: str = INTERNAL, started_ns: int | None = None) -> Span:
        """A step of the trace that a ``traceparent`` names; of a new one without."""
        from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

        known = read_traceparent(parent) if parent else None
        if known is None:
            return _begin(self._tracer, name, None, kind, started_ns)
        flags = TraceFlags(int(known.flags, 16))
        remote = SpanContext(int(known.trace_id, 16), int(known.span_id, 16), is_remote=True, trace_flags=flags)
        return _begin(self._tracer, name, NonRecordingSpan(remote), kind, started_ns)

    async def close(self) -> None:
        """Send what is left, off the event loop."""
        await asyncio.to_thread(self._provider.shutdown)


def tracing_of(service: str, url: str | None) -> Tracing | None:
    """None = spans go nowhere. Raises ``ConfigurationError`` when they are to, and the extra is not installed."""
    return Tracing(service, url) if url else None


@asynccontextmanager
async def ended(tracing: Tracing | None) -> AsyncIterator[None]:
    """Sends what is left when the context ends."""
    try:
        yield
    finally:
        if tracing is not None:
            await tracing.close()


def _provider(service: str, url: str) -> TracerProvider:
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise ConfigurationError(_MISSING) from None
    provider = TracerProvider(resource=Resource.create({"service.name": service}), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=url)))
    return provider


def _begin(tracer: Tracer, name: str, parent: OtelSpan | None, kind: str, started_ns: int | None) -> Span:
    from opentelemetry.context import Context
    from opentelemetry.trace import SpanKind, set_span_in_context

    context = Context() if parent is None else set_span_in_context(parent, Context())
    return Span(tracer, tracer.start_span(name, context, SpanKind[kind], start_time=started_ns))
