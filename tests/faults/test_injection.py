"""Bytes that would break a line, a terminal or a page: they reach no wire and no log as they are, and JSON raw."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from dispatcher.flow.integrations.editing.publish import publish
from dispatcher.model.attempt import Outcome
from dispatcher.model.integration import Header, Integration
from dispatcher.model.status import Status
from dispatcher.store.secrets import fields as sealed_fields
from tests.events import event_of
from tests.faults.client import client_of
from tests.faults.deployment import Deployment
from tests.hosts import Reply
from tests.worker.conftest import Shop, shop

__all__ = ["shop"]

pytestmark = pytest.mark.slow

FORGED = "\r\n2026-01-01 00:00:00 [info] forged\x1b[2J\x9b31m\u2028"
MARKUP = "<script>alert(1)</script>'\"&amp;"
BROKEN_HEADERS = {
    "CR LF in a value": Header("X-A", "a\r\nX-Evil: 1"),
    "LF in a value": Header("X-A", "a\nX-Evil: 1"),
    "NUL in a value": Header("X-A", "a\0b"),
    "CR LF in a name": Header("X-A: b\r\nX-Evil", "1"),
}


async def _tampered(shop: Shop, **changed: Any) -> Integration:
    """Written straight into the store, past every check of the API."""
    return await shop.integration(schedule_s=(60.0,), **changed)


async def test_bi44_headers_that_break_a_line_are_never_sent(shop: Shop) -> None:
    events = {name: await shop.emit(await _tampered(shop, headers=(one,))) for name, one in BROKEN_HEADERS.items()}
    await shop.work()
    for name, event_id in events.items():
        stored = await shop.until(event_id, lambda now: now.state.attempts == 1)
        (attempt,) = await shop.attempts([event_id])
        assert (attempt.outcome, attempt.error_code) == (Outcome.CONFIGURATION_ERROR, "CONFIGURATION_ERROR"), name
        assert attempt.http_status is None
        assert stored.state.status is Status.RETRYING
        assert "Evil" not in (attempt.error_detail or "")
    assert shop.host.requests == []


@pytest.mark.parametrize("field", ["client_id", "client_secret", "scope", "audience", "resource", "token_uri"])
async def test_bi44_credentials_that_break_a_line_add_no_header_to_a_token_request(shop: Shop, field: str) -> None:
    integration = await shop.integration(oauth2=True, schedule_s=(0.2,))
    evil = "x\r\nX-Evil: 1\r\n\r\n\0"
    before = getattr(integration.working.credentials, field) or ""
    sealed = shop.sealer.seal(evil, sealed_fields.client_secret(integration.id))
    changes: dict[str, Any] = {field: sealed if field == "client_secret" else before + evil}
    credentials = replace(integration.working.credentials, **changes)
    changed = await shop.definitions.edit(
        integration.id, lambda now: replace(now, working=replace(now.working, credentials=credentials))
    )
    published = await publish(shop.definitions, changed.id, "test", 9)
    assert published.published_revision == 2
    event = event_of(changed.id, shop.queue.partitions, revision=2)
    await shop.queue.accept([event])
    await shop.work()
    await shop.until(event.id, lambda now: now.state.attempts >= 1)
    assert field == "token_uri" or shop.host.tokens.requests, "nothing was tried"
    for request in shop.host.tokens.requests + shop.host.requests:
        assert "X-Evil" not in request.headers
        assert b"\r\n" not in request.body


async def test_bi55_bi56_what_hosts_say_is_raw_in_json_and_escaped_in_logs(deployment: Deployment) -> None:
    said = {"success": False, "errorCode": MARKUP, "message": MARKUP + FORGED}
    deployment.host.default = Reply.of(200, said)
    integration = await deployment.integration(schedule_s=(60.0,))
    async with client_of(deployment, integration) as client:
        for log_format in ("json", "console"):
            worker = await deployment.worker(LOG_FORMAT=log_format)
            event_id = await client.emitted(MARKUP, log_format)
            await deployment.ended(event_id)
            await worker.heard("(forged)")
            worker.kill()
        status, headers, event = await client.get(f"/v1/events/{event_id}")
        assert (status, headers["Content-Type"].partition(";")[0]) == (200, "application/json")
        assert event["accountId"] == MARKUP
        assert MARKUP in event["error"]["message"]
        _, _, attempts = await client.get(f"/v1/events/{event_id}/attempts")
        assert MARKUP in json.loads(attempts[0]["responseBody"])["message"]
    for program in deployment.programs:
        lines = program.said().split("\n")
        assert not [line for line in lines if line.startswith("2026-01-01") or set(line) & set("\x1b\x9b\u2028\r")]
