"""A receiver of OTLP over HTTP, as a collector is one: it decodes what it is sent. Holds no test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from tests.serving import serving

PATH, METRICS_PATH = "/v1/traces", "/v1/metrics"


@dataclass(frozen=True)
class Received:
    """One span. Ids in hexadecimal; ``parent`` empty = a root."""

    name: str
    kind: int
    trace: str
    id: str
    parent: str
    service: str
    begun_ns: int
    ended_ns: int
    failed: bool
    attributes: dict[str, Any]

    @property
    def traceparent(self) -> str:
        return f"00-{self.trace}-{self.id}-01"


@dataclass
class Receiver:
    """Spans in the order in which they came; of metrics what was pushed last, by service and name."""

    url: str = ""
    metrics_url: str = ""
    spans: list[Received] = field(default_factory=list)
    metrics: dict[str, dict[str, Any]] = field(default_factory=dict)

    def named(self, name: str) -> list[Received]:
        return [span for span in self.spans if span.name == name]

    def only(self, name: str) -> Received:
        (span,) = self.named(name)
        return span

    async def take(self, request: web.Request) -> web.Response:
        assert request.content_type == "application/x-protobuf"
        sent = ExportTraceServiceRequest.FromString(await request.read())
        for resource in sent.resource_spans:
            service = {one.key: one.value.string_value for one in resource.resource.attributes}["service.name"]
            self.spans += [_received(span, service) for scope in resource.scope_spans for span in scope.spans]
        body = ExportTraceServiceResponse().SerializeToString()
        return web.Response(body=body, content_type="application/x-protobuf")

    async def take_metrics(self, request: web.Request) -> web.Response:
        assert request.content_type == "application/x-protobuf"
        sent = ExportMetricsServiceRequest.FromString(await request.read())
        for resource in sent.resource_metrics:
            service = {one.key: one.value.string_value for one in resource.resource.attributes}["service.name"]
            named = {one.name: one for scope in resource.scope_metrics for one in scope.metrics}
            self.metrics.setdefault(service, {}).update(named)
        body = ExportMetricsServiceResponse().SerializeToString()
        return web.Response(body=body, content_type="application/x-protobuf")


def _received(span: Any, service: str) -> Received:
    return Received(
        name=span.name,
        kind=span.kind,
        trace=span.trace_id.hex(),
        id=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        service=service,
        begun_ns=span.start_time_unix_nano,
        ended_ns=span.end_time_unix_nano,
        failed=span.status.code == span.status.STATUS_CODE_ERROR,
        attributes={one.key: getattr(one.value, one.value.WhichOneof("value")) for one in span.attributes},
    )


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """A receiver that listens on loopback; whoever sends has sent all once it was closed."""
    receiver, app = Receiver(), web.Application()
    app.router.add_post(PATH, receiver.take)
    app.router.add_post(METRICS_PATH, receiver.take_metrics)
    async with serving(app) as port:
        receiver.url, receiver.metrics_url = (f"http://127.0.0.1:{port}{path}" for path in (PATH, METRICS_PATH))
        yield receiver
