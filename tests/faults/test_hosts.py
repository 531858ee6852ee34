"""Hosts that are away, answer oddly, misbehave on the wire, hang or show bad certificates."""

from __future__ import annotations

import asyncio
import ssl
import time
import warnings
from collections.abc import Callable
from contextlib import AsyncExitStack
from email.utils import formatdate
from pathlib import Path

import pytest

from dispatcher.model.attempt import Outcome
from dispatcher.model.integration import AnswerMode, Transport
from dispatcher.model.queue import StoredEvent
from dispatcher.model.status import Status
from tests.faults.deployment import FULL, Deployment
from tests.faults.hostile_hosts import KINDS, hostile_host
from tests.hosts import ProductHost, Reply
from tests.tls_parts import Identity, TlsHost, issue, server_context, tls_host
from tests.worker.conftest import Shop, shop

__all__ = ["shop"]

pytestmark = pytest.mark.slow

JITTER = 0.2
PLANNED_S = 30.0
ANSWER_S = 0.1


def _waits(at_least_s: float, at_most_s: float) -> Callable[[float | None], bool]:
    return lambda due_in_s: due_in_s is not None and at_least_s - 2 <= due_in_s <= at_most_s


_as_planned = _waits(PLANNED_S * (1 - JITTER), PLANNED_S * (1 + JITTER))


def _ended(due_in_s: float | None) -> bool:
    return due_in_s is None


ANSWERS: dict[str, tuple[Reply, Status, Outcome, Callable[[float | None], bool]]] = {
    "200": (Reply(), Status.SUCCEEDED, Outcome.OK, _ended),
    "200 refused": (Reply.of(200, {"success": False}), Status.FAILED, Outcome.REFUSED, _ended),
    "204": (Reply(204, b""), Status.SUCCEEDED, Outcome.OK, _ended),
    "202": (Reply(202, b""), Status.AWAITING_RESULT, Outcome.ACCEPTED, _ended),
    "400": (Reply(400), Status.RETRYING, Outcome.HTTP_ERROR, _as_planned),
    "401 without credentials": (Reply(401), Status.RETRYING, Outcome.HTTP_ERROR, _as_planned),
    "404": (Reply(404), Status.RETRYING, Outcome.HTTP_ERROR, _as_planned),
    "410": (Reply(410), Status.DEAD, Outcome.HTTP_ERROR, _ended),
    "500": (Reply(500), Status.RETRYING, Outcome.HTTP_ERROR, _as_planned),
    "429 with seconds": (Reply.of(429, retry_after="120"), Status.RETRYING, Outcome.HTTP_ERROR, _waits(120, 121)),
    "429 with a short wait": (Reply.of(429, retry_after="1"), Status.RETRYING, Outcome.HTTP_ERROR, _as_planned),
    "429 with nonsense": (Reply.of(429, retry_after="soon"), Status.RETRYING, Outcome.HTTP_ERROR, _as_planned),
    "429 with a year": (
        Reply.of(429, retry_after="31536000"),
        Status.RETRYING,
        Outcome.HTTP_ERROR,
        _waits(86400, 86401),
    ),
    "503 with a date": (
        Reply.of(503, retry_after=formatdate(time.time() + 7200, usegmt=True)),
        Status.RETRYING,
        Outcome.HTTP_ERROR,
        _waits(3600, 7201),
    ),
} | {
    str(status): (Reply.of(status, location="/elsewhere"), Status.RETRYING, Outcome.HTTP_ERROR, _as_planned)
    for status in (301, 302, 303, 307, 308)
}


async def test_ft31_every_answer_is_mapped_as_documented(shop: Shop) -> None:
    emitted: dict[str, str] = {}
    for n, (name, (reply, *_)) in enumerate(ANSWERS.items()):
        shop.host.by_path[f"/{n}"] = reply
        integration = await shop.integration({"upgradeUrl": shop.host.url(f"/{n}")}, schedule_s=(PLANNED_S,))
        emitted[name] = await shop.emit(integration)
    await shop.work()
    for name, event_id in emitted.items():
        _, status, outcome, waits = ANSWERS[name]
        stored = await shop.until(event_id, lambda now: now.state.attempts == 1)
        attempts = await shop.attempts([event_id])
        assert (stored.state.status, attempts[0].outcome) == (status, outcome), name
        assert waits(_due_in_s(stored, time.time())), (name, stored.state)
    assert len(shop.host.requests) == len(ANSWERS)
    assert shop.host.to("/elsewhere") == []
    gone = list(ANSWERS).index("410")
    lanes = (await shop.queue.overview()).lanes
    assert [url for lane in lanes for url in lane.suspended_urls] in ([], [shop.host.url(f"/{gone}")])
    await shop.assert_well()


def _due_in_s(stored: StoredEvent, now_s: float) -> float | None:
    return None if stored.state.due_ms is None else stored.state.due_ms / 1000 - now_s


async def test_ft30_a_host_that_comes_back_is_probed_by_one_and_not_run_over(shop: Shop) -> None:
    """Down for six delays of the schedule: every event keeps to it, and what has gathered comes at the lane's pace."""
    shop.settings = shop.settings.model_copy(update={"circuit_failures": 5, "circuit_open": 1.0})
    host, delays_s, events = shop.host, (0.6, 1.2) + (2.4,) * 8, 150
    integration = await shop.integration(schedule_s=delays_s)
    port = host.port
    await host.stop()
    await shop.work()
    ids = [await shop.emit(integration, account=str(n)) for n in range(events)]
    await asyncio.sleep(10 if FULL else 4)
    host.default = Reply(delay_s=ANSWER_S)
    await host.start(port)
    for event_id in ids:
        assert (await shop.ended(event_id, 40)).state.status is Status.SUCCEEDED
    arrived = [request.arrived_s for request in host.requests]
    assert len(arrived) == events
    assert arrived[1] - arrived[0] >= ANSWER_S, "more than one probed"
    first_wave = [at for at in arrived[1:] if at < arrived[1] + ANSWER_S * 0.8]
    assert len(first_wave) <= 40, "a herd"
    for event_id in ids:
        attempts = await shop.attempts([event_id])
        assert len(attempts) <= len(delays_s)
        for before, after, delay_s in zip(attempts, attempts[1:], delays_s, strict=False):
            gap_s = (after.started_ms - before.started_ms) / 1000
            assert gap_s >= delay_s * (1 - JITTER) - 0.05, "an attempt came before its time"
    await shop.assert_well()


NO_STATUS: dict[str, set[Outcome]] = {
    "silence": {Outcome.TIMEOUT},
    "dripping headers": {Outcome.TIMEOUT},
    "endless 100 Continue": {Outcome.INVALID_RESPONSE},
    "instant close": {Outcome.CONNECT_FAILED},
    "reset": {Outcome.CONNECT_FAILED},
    "garbage": {Outcome.INVALID_RESPONSE},
}
"""Answers that never say a status. All others say 200 and spoil the headers or the body."""
BY_MODE = {
    AnswerMode.AUTO: {Outcome.OK},
    AnswerMode.ACK: {Outcome.OK},
    AnswerMode.RESULT: {Outcome.INVALID_RESPONSE},
}
TIMEOUT_S = 1.5
LONGEST_LAG_S = 10.0
"""A place is free again after 30 s, the time-out; two seconds are held to by `python -m tests.faults.hostile`."""
MAX_GROWTH_BYTES = 250 * 2**20


async def test_ft32_hostile_hosts_cost_bounded_time_and_memory_in_every_answer_mode(deployment: Deployment) -> None:
    worker = await deployment.worker(REQUEST_TIMEOUT=str(TIMEOUT_S))
    await deployment.all_succeed([await deployment.emit(await deployment.integration())])
    before_bytes = worker.rss_bytes
    cases: dict[tuple[str, AnswerMode], str] = {}
    async with hostile_host() as base_url:
        for n, kind in enumerate(KINDS):
            for mode in AnswerMode:
                urls = {"upgradeUrl": f"{base_url}/{n}"}
                integration = await deployment.integration(urls, schedule_s=(60.0,), answers=mode)
                cases[kind, mode] = await deployment.emit(integration)
        well = await deployment.integration()
        await deployment.all_succeed([await deployment.emit(well)], within_s=TIMEOUT_S + 15)
        for (kind, mode), event_id in cases.items():
            stored = await deployment.until(event_id, lambda now: now.state.attempts == 1, 40)
            attempt = (await deployment.attempts([event_id]))[0]
            assert attempt.outcome in NO_STATUS.get(kind, BY_MODE[mode]), (kind, mode, attempt)
            succeeds = attempt.outcome is Outcome.OK
            assert stored.state.status is (Status.SUCCEEDED if succeeds else Status.RETRYING), (kind, mode)
            assert attempt.duration_ms < (TIMEOUT_S + 10) * 1000, (kind, mode, attempt.duration_ms)
            assert len((attempt.response_body or "").encode()) <= 4096
    assert worker.alive
    assert worker.errors() == []
    assert worker.rss_bytes - before_bytes < MAX_GROWTH_BYTES
    await deployment.assert_well()


async def test_ft33_a_tenant_whose_hosts_all_hang_delays_no_other(deployment: Deployment) -> None:
    """Ten times the traffic of the others, from integrations enough to take every place of the worker."""
    others = [await deployment.integration() for _ in range(5)]
    async with ProductHost(Reply(hang=True)) as dead:
        hanging = [await deployment.integration({"upgradeUrl": dead.url()}) for _ in range(24)]
        await deployment.worker()
        await deployment.all_succeed(await deployment.emit_many(others, 5))
        warm = len(deployment.host.requests)
        await deployment.emit_many(hanging, 24 * 40)
        sent_s: dict[str, float] = {}
        for _ in range(60 if FULL else 15):
            await deployment.emit_many(hanging, 100)
            now_s = time.monotonic()
            sent_s |= dict.fromkeys(await deployment.emit_many(others, 10), now_s)
            await asyncio.sleep(0.15)
        await deployment.all_succeed(list(sent_s), within_s=20)
        assert len(dead.requests) > 512, "the hanging tenant did not take every place"
    arrived = {r.headers["webhook-id"]: r.arrived_s for r in deployment.host.requests[warm:]}
    lags_s = sorted(arrived[event_id] - at_s for event_id, at_s in sent_s.items())
    assert lags_s[int(len(lags_s) * 0.99)] < LONGEST_LAG_S or not FULL, lags_s[-5:]


def _tls10(context: ssl.SSLContext) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1
    context.set_ciphers("ALL:@SECLEVEL=0")


async def test_ft36_nothing_is_sent_where_the_certificate_or_the_protocol_is_bad(shop: Shop, tmp_path: Path) -> None:
    authority = issue("authority")
    hosts: dict[str, tuple[Identity, str, Callable[[ssl.SSLContext], None] | None]] = {
        "trusted": (issue("shop", authority), "127.0.0.1", None),
        "expired": (issue("shop", authority, days=-2), "127.0.0.1", None),
        "self-signed": (issue("shop"), "127.0.0.1", None),
        "wrong host": (issue("shop", authority), "localhost", None),
        "TLS 1.0": (issue("shop", authority), "127.0.0.1", _tls10),
    }
    asked: dict[str, TlsHost] = {}
    events: dict[str, str] = {}
    async with AsyncExitStack() as running:
        for name, (identity, address, weaken) in hosts.items():
            context = server_context(tmp_path, identity)
            if weaken is not None:
                weaken(context)
            asked[name] = host = await running.enter_async_context(tls_host(context))
            url = f"https://{address}:{host.port}/hook"
            integration = await shop.integration(
                {"upgradeUrl": url}, schedule_s=(60.0,), transport=Transport(ca_certificates=authority.pem)
            )
            events[name] = await shop.emit(integration)
        await shop.work()
        for name, event_id in events.items():
            await shop.until(event_id, lambda now: now.state.attempts == 1)
            attempt = (await shop.attempts([event_id]))[0]
            if name == "trusted":
                assert attempt.outcome is Outcome.OK, attempt
                continue
            assert (attempt.outcome, attempt.error_code) == (Outcome.CONNECT_FAILED, "TRANSPORT_ERROR"), (name, attempt)
            assert "TLS" in (attempt.error_detail or ""), (name, attempt)
            assert "127.0.0.1" not in (attempt.error_detail or "")
    assert {name: len(host.seen) for name, host in asked.items()} == {name: int(name == "trusted") for name in hosts}
