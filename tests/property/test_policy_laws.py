"""Laws that hold for every schedule, secret, event and history."""

from __future__ import annotations

import base64
import string
from itertools import pairwise
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatcher.model.event import Event, EventState
from dispatcher.model.event_type import TYPE_RULES, EventType
from dispatcher.model.status import Status
from dispatcher.policy.notification.body import build_body
from dispatcher.policy.notification.signing import HMAC_PREFIX, parse_secret, sign
from dispatcher.policy.notification.verification import verify
from dispatcher.policy.pace.circuit import Circuit
from dispatcher.policy.pace.concurrency import ConcurrencyLimit
from dispatcher.policy.pace.retry import next_delay_s, plan
from dispatcher.policy.payload_rules import validate_payload
from dispatcher.store.secrets.sealing import Sealer, SealError, new_key

SCHEDULE = st.lists(st.floats(0, 30 * 86_400), max_size=50)
JITTER = st.floats(-1, 1)


@given(SCHEDULE, st.integers(1, 60), JITTER, st.none() | st.floats(0, 1e12))
def test_a_delay_is_within_a_fifth_of_the_schedule_or_as_asked_for(
    schedule_s: list[float], tries: int, jitter: float, retry_after_s: float | None
) -> None:
    delay_s = next_delay_s(schedule_s, tries, jitter, retry_after_s)
    assert (delay_s is None) == (tries > len(schedule_s))
    if delay_s is not None:
        base_s, asked_s = schedule_s[tries - 1], min(retry_after_s or 0.0, 86_400.0)
        assert delay_s >= max(base_s * 0.8, asked_s) - 1e-6
        assert delay_s <= max(base_s * 1.2, asked_s) + 1e-6


@given(SCHEDULE, st.none() | st.floats(0, 1e7))
def test_a_plan_is_ordered_and_ends_at_the_maximum_age(schedule_s: list[float], max_age_s: float | None) -> None:
    attempts = plan(schedule_s, max_age_s)
    assert [attempt.n for attempt in attempts] == list(range(1, len(attempts) + 1))
    assert all(before.at_s <= after.at_s for before, after in pairwise(attempts))
    assert all(attempt.earliest_s <= attempt.at_s <= attempt.latest_s for attempt in attempts)
    assert max_age_s is None or attempts[-1].at_s <= max_age_s


@given(st.binary(min_size=24, max_size=64), st.binary(max_size=500), st.binary(min_size=1, max_size=4))
def test_a_signature_holds_for_its_bytes_alone(raw: bytes, body: bytes, noise: bytes) -> None:
    secret = HMAC_PREFIX + base64.b64encode(raw).decode()
    header = sign([parse_secret(secret)], "evt", 1_700_000_000, body)
    genuine = verify([parse_secret(secret)], "evt", "1700000000", header, body, now_s=1_700_000_000)
    changed = verify([parse_secret(secret)], "evt", "1700000000", header, body + noise, now_s=1_700_000_000)
    assert genuine.genuine
    assert not changed.genuine


UTF8_TEXT = st.text(st.characters(codec="utf-8"), max_size=50)


@given(UTF8_TEXT, UTF8_TEXT, UTF8_TEXT)
def test_sealing_is_reversible_and_bound_to_its_context(text: str, context: str, other: str) -> None:
    sealer = Sealer([new_key()])
    sealed = sealer.seal(text, context)
    assert sealer.open(sealed, context) == text
    assert not sealer.stale(sealed)
    if other != context:
        with pytest.raises(SealError):
            sealer.open(sealed, other)


JSON_VALUE: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(string.printable),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(string.printable), inner, max_size=3),
    max_leaves=10,
)
PAYLOAD = st.dictionaries(
    st.sampled_from(["order", "account", "configuration", "user", "company", "x", "notice"]), JSON_VALUE, max_size=5
)


@given(
    st.sampled_from([kind for kind, rule in TYPE_RULES.items() if rule.emitted_by_callers]),
    st.none() | PAYLOAD,
    st.none() | st.text(string.ascii_letters, min_size=1),
)
def test_every_acceptable_payload_makes_a_body(
    kind: EventType, payload: dict[str, Any] | None, identifier: str | None
) -> None:
    if validate_payload(kind, payload):
        return
    event = Event("id-1", kind, "i-1", 1, payload=payload)
    state = EventState(Status.DELIVERING, 1_700_000_000_000)
    raw = build_body(event, state, base_url="https://m.example", partner="ACME", account_identifier=identifier)
    sent = orjson.loads(raw)["payload"]
    assert isinstance(sent["configuration"], dict)
    for name, value in (payload or {}).items():
        if name not in ("configuration", "order", "account", "user"):
            assert sent[name] == value


@given(st.lists(st.sampled_from(["ok", "timeout"]), max_size=300), st.integers(1, 64), st.none() | st.integers(1, 64))
def test_concurrency_stays_between_one_and_its_maximum(history: list[str], maximum: int, start: int | None) -> None:
    limit = ConcurrencyLimit(maximum, start)
    for outcome in history:
        before = limit.limit
        limit.succeeded(limit.limit) if outcome == "ok" else limit.timed_out()
        assert 1 <= limit.limit <= maximum
        assert before // 2 <= limit.limit <= before + 1


@given(
    st.lists(st.sampled_from(["ask", "ok", "fail", "abandon"]), max_size=200), st.integers(1, 5), st.integers(1, 500)
)
def test_a_circuit_never_locks_for_longer_than_its_time(history: list[str], threshold: int, open_ms: int) -> None:
    circuit = Circuit(threshold, open_ms)
    now_ms = 0
    for step in history:
        now_ms += 50
        if step == "ask":
            circuit.admits(now_ms)
        elif step == "ok":
            circuit.answered()
        elif step == "fail":
            circuit.failed(now_ms)
        else:
            circuit.abandoned(now_ms)
        assert circuit.until_ms <= now_ms + open_ms
    assert circuit.admits(now_ms + open_ms)
