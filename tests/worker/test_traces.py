"""Spans of an attempt, as a collector receives them: claim, token, POST and settle in the trace of the emitter."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.hosts import Reply
from tests.otlp import Receiver, receiving
from tests.waiting import until
from tests.worker.conftest import Shop
from worker.composition import compose
from worker.resources import open_resources

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
EMITTED = f"00-{TRACE}-00f067aa0ba902b7-01"
CLIENT = 3


@pytest.fixture
async def collector() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


async def test_an_attempt_is_a_span_with_its_steps(shop: Shop, collector: Receiver) -> None:
    integration = await shop.integration(oauth2=True)
    event_id = await shop.emit(integration, trace=EMITTED)
    await shop.work(traces_url=collector.url)
    await shop.ended(event_id)
    await shop.stop_all()
    attempt = collector.only("attempt")
    assert (attempt.trace, attempt.parent, attempt.service) == (TRACE, "00f067aa0ba902b7", "dispatcher-worker")
    steps = [collector.only(name) for name in ("claim", "token", "POST", "settle")]
    assert {(step.trace, step.parent) for step in steps} == {(TRACE, attempt.id)}
    assert [step.kind == CLIENT for step in steps] == [False, True, True, False]
    assert [step.begun_ns for step in steps] == sorted(step.begun_ns for step in steps)
    assert all(attempt.begun_ns <= step.begun_ns <= step.ended_ns <= attempt.ended_ns for step in steps)
    assert not any(step.failed for step in (attempt, *steps))
    assert attempt.attributes["dispatcher.event_id"] == event_id
    assert attempt.attributes["dispatcher.status"] == "SUCCEEDED"
    assert collector.only("POST").attributes == {"dispatcher.http_status": 200}
    (request,) = shop.host.to("/notifications")
    assert request.headers["traceparent"] == collector.only("POST").traceparent


async def test_every_attempt_has_spans_and_a_failed_one_says_so(shop: Shop, collector: Receiver) -> None:
    shop.host.replies.append(Reply(500))
    event_id = await shop.emit(await shop.integration(), trace=EMITTED)
    await shop.work(traces_url=collector.url)
    await shop.ended(event_id)
    await shop.stop_all()
    found = [(span.attributes["dispatcher.attempt"], span.failed) for span in collector.named("attempt")]
    assert found == [(1, True), (2, False)]
    assert [span.failed for span in collector.named("POST")] == [True, False]
    sent = [request.headers["traceparent"] for request in shop.host.to("/notifications")]
    assert sent == [span.traceparent for span in collector.named("POST")]


async def test_a_token_that_cannot_be_had_is_a_failed_step(shop: Shop, collector: Receiver) -> None:
    shop.host.tokens.replies.extend([Reply(400)] * 8)
    event_id = await shop.emit(await shop.integration(oauth2=True, schedule_s=()), trace=EMITTED)
    await shop.work(traces_url=collector.url)
    await shop.ended(event_id)
    await shop.stop_all()
    assert collector.named("POST") == []
    assert {span.failed for span in collector.named("token")} == {True}


async def test_events_without_a_trace_have_no_spans(shop: Shop, collector: Receiver) -> None:
    event_id = await shop.emit(await shop.integration())
    await shop.work(traces_url=collector.url)
    await shop.ended(event_id)
    await shop.stop_all()
    assert collector.spans == []
    (request,) = shop.host.to("/notifications")
    assert "traceparent" not in request.headers


async def test_without_an_address_for_spans_nothing_of_it_is_loaded(shop: Shop) -> None:
    async with open_resources(shop.settings, shop.redis_url, shop.redis_url) as resources, compose(resources) as parts:
        assert resources.tracing is None
        assert type(parts.owner).__name__ == "Owner"


async def test_a_worker_pushes_its_own_figures(shop: Shop, collector: Receiver) -> None:
    await shop.work(metrics_url=collector.metrics_url)
    await until(lambda: "dispatcher-worker" in collector.metrics, 30)
    await shop.stop_all()
    told = collector.metrics["dispatcher-worker"]
    assert {"dispatcher_worker_partitions", "dispatcher_event_loop_lag_seconds"} <= set(told)
