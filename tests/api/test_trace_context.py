"""The trace that an emitter is in is kept with its events; one that sends none costs nothing."""

from __future__ import annotations

import pytest

from dispatcher.model.integration import Revision
from dispatcher.store.keys import queue as keys
from tests.api.conftest import PRODUCT, Api, Start, publish
from tests.otlp import receiving

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


async def kept(api: Api, event_id: str) -> tuple[str | None, bytes]:
    stored = await api.services.queue.get(event_id)
    assert stored is not None
    partition = int(event_id[-3:], 16) % api.services.queue.partitions
    document = await api.redis.hget(keys.event(partition, event_id), "doc")  # type: ignore[misc]
    return stored.event.trace, document


async def test_a_context_is_kept_with_the_event(api: Api) -> None:
    made = await api.emit(headers={"traceparent": TRACE})
    assert (await kept(api, made["id"]))[0] == TRACE


@pytest.mark.parametrize("headers", [{}, {"traceparent": "nonsense"}, {"traceparent": ""}])
async def test_without_a_context_nothing_is_kept(api: Api, headers: dict[str, str]) -> None:
    made = await api.emit(headers=headers)
    trace, document = await kept(api, made["id"])
    assert trace is None
    assert b'"w"' not in document


async def test_every_event_of_a_batch_has_it(api: Api) -> None:
    items = [{"type": "create", "productId": PRODUCT, "accountId": account} for account in "AB"]
    body = await api.json("POST", "/v1/events/batch", 200, json=items, headers={"traceparent": TRACE})
    assert [(await kept(api, one["id"]))[0] for one in body["results"]] == [TRACE, TRACE]


async def test_a_key_that_is_repeated_in_another_trace_is_the_same_event(api: Api) -> None:
    first = await api.emit(headers={"traceparent": TRACE, "Idempotency-Key": "k"})
    again = await api.emit(headers={"traceparent": TRACE.replace("4bf9", "5bf9"), "Idempotency-Key": "k"})
    assert again["id"] == first["id"]
    assert (await kept(api, first["id"]))[0] == TRACE


async def test_accepting_is_a_span_that_the_events_attempts_are_within(start: Start) -> None:
    async with receiving() as collector:
        api = await start(traces_url=collector.url)
        await publish(api.services, Revision(urls={"createUrl": "https://host.example/hook"}), products=(PRODUCT,))
        traced = await api.emit(headers={"traceparent": TRACE})
        rooted = await api.emit()
        await api.emit(422, productId="unknown", headers={"traceparent": TRACE})
        kept_traces = [(await kept(api, made["id"]))[0] for made in (traced, rooted)]
        await api.http.close()
    spans = collector.named("accept")
    assert [span.traceparent[:52] for span in spans[:2]] == [(trace or "")[:52] for trace in kept_traces]
    assert [(span.trace, span.parent) for span in spans] == [
        (TRACE[3:35], TRACE[36:52]),
        (spans[1].trace, ""),
        (TRACE[3:35], TRACE[36:52]),
    ]
    assert [(span.failed, span.attributes["dispatcher.http_status"]) for span in spans] == [
        (False, 202),
        (False, 202),
        (True, 422),
    ]
    assert {(span.service, span.kind) for span in spans} == {("dispatcher-api", 2)}
