"""``dispatcher intake --poison``: what was set aside from a stream, and why."""

from __future__ import annotations

import json

import pytest
import redis as redis_sync

from tests.cli.in_process import dispatcher


def test_what_was_set_aside_is_listed_with_its_reason(
    redis_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DISPATCHER_REDIS_URL", redis_url)
    listed = ("intake", "--stream", "orders", "--poison", "--json")
    assert json.loads(dispatcher(capsys, *listed)[1]) == []
    with redis_sync.Redis(unix_socket_path=redis_url.removeprefix("unix://")) as client:
        client.xadd(
            "{orders}:poison", {"entry": "1-1", "reason": "invalid_json: not JSON", "event": b"{\xff"}, id="2-1"
        )
    status, out, _ = dispatcher(capsys, *listed)
    row = {"id": "2-1", "entry": "1-1", "reason": "invalid_json: not JSON", "event": "{\ufffd"}
    assert (status, json.loads(out)) == (0, [row])
