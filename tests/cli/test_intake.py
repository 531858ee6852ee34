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


def test_what_was_set_aside_is_put_back_or_discarded_and_one_at_a_time(
    redis_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DISPATCHER_REDIS_URL", redis_url)
    with redis_sync.Redis(unix_socket_path=redis_url.removeprefix("unix://")) as client:
        for n in range(2):
            client.xadd("{orders}:poison", {"entry": f"{n}-1", "reason": "no event", "event": f"{n}", "key": "k"})
        assert dispatcher(capsys, "intake", "--stream", "orders", "--put-back").err == "2 put back, 0 left\n"
        assert [fields for _, fields in client.xrange("orders")] == [
            {b"event": b"0", b"key": b"k"}, {b"event": b"1", b"key": b"k"}
        ]  # fmt: skip
        client.xadd("{orders}:poison", {"event": "x"})
        assert dispatcher(capsys, "intake", "--stream", "orders", "--discard").err == "1 discarded, 0 left\n"
    assert dispatcher(capsys, "intake", "--stream", "orders", "--discard", "--poison").status == 2
    assert dispatcher(capsys, "intake").status == 2
    assert "DISPATCHER_AMQP_URL" in dispatcher(capsys, "intake", "--queue", "orders", "--poison").err
