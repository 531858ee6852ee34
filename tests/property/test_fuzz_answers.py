"""Bytes from and to hosts and authorization servers: any bytes, no surprise."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree

import orjson
from hypothesis import example, given
from hypothesis import strategies as st

from dispatcher.api.rest.host.xml import prefers_xml, to_xml
from dispatcher.model.event import Event
from dispatcher.model.event_type import EventType
from dispatcher.policy.integration_filter.filter import Ruling, compile_filter, filter_problems
from dispatcher.policy.pace.retry import MAX_RETRY_AFTER_S, next_delay_s, parse_retry_after
from dispatcher.store.secrets.tokens import AccessToken
from tests.property.in_time import in_time
from worker.http.answer import AnswerBody
from worker.oauth.answer import MAX_LIFETIME_S, TokenAnswer, read_token
from worker.oauth.values import TokenFailure

SCALAR: st.SearchStrategy[Any] = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
JSON: st.SearchStrategy[Any] = st.recursive(
    SCALAR,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
GRANT = st.fixed_dictionaries(
    {},
    optional={
        "access_token": JSON | st.text(st.characters(max_codepoint=0x7F), max_size=30),
        "token_type": JSON | st.sampled_from(["bearer", "Bearer", "mac"]),
        "expires_in": JSON | st.integers() | st.sampled_from(["3600", "-1", "1e3", "٣٦٠٠", "9" * 30]),
        "error": JSON | st.sampled_from(["invalid_client", "invalid_scope", "a\r\nb"]),
        "error_description": JSON,
    },
).map(lambda fields: json.dumps(fields).encode())
RETRY_AFTER = st.text(max_size=60) | st.sampled_from(["0", "-1", "1e9", "9" * 40, "Fri, 31 Dec 9999 23:59:59 GMT", "٣"])


@in_time
@given(
    status=st.integers(100, 599),
    body=GRANT | st.binary(max_size=200),
    truncated=st.booleans(),
    retry_after=st.none() | RETRY_AFTER,
)
def test_ft35_every_token_answer_is_a_token_fit_for_a_header_or_a_failure(
    status: int, body: bytes, truncated: bool, retry_after: str | None
) -> None:
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    outcome = read_token(TokenAnswer(status, headers, AnswerBody(body, truncated), 1000.0))
    if isinstance(outcome, AccessToken):
        assert status in (200, 201)
        assert not truncated
        assert outcome.value.isascii()
        assert outcome.value.isprintable()
        assert " " not in outcome.value
        assert 1000.0 <= outcome.expires_at_s <= 1000.0 + MAX_LIFETIME_S
    else:
        assert isinstance(outcome, TokenFailure)
        assert outcome.detail.isascii()
        assert outcome.detail.isprintable()
        assert len(outcome.detail) < 600


@in_time
@given(value=RETRY_AFTER, tries=st.integers(1, 3), jitter=st.floats(-1, 1))
def test_ft31_no_retry_after_brings_an_attempt_forward_or_puts_it_off_for_more_than_a_day(
    value: str, tries: int, jitter: float
) -> None:
    asked_s = parse_retry_after(value, 1_700_000_000.0)
    planned_s = next_delay_s((10.0, 10.0, 10.0), tries, jitter, None, age_s=0, max_age_s=None)
    delay_s = next_delay_s((10.0, 10.0, 10.0), tries, jitter, asked_s, age_s=0, max_age_s=None)
    assert planned_s is not None
    assert delay_s is not None
    assert planned_s <= delay_s <= MAX_RETRY_AFTER_S


@in_time
@given(value=JSON, name=st.text(min_size=1, max_size=10))
@example(value={"a b": "]]>", "xml": "<!--", "<": "&#0;", "x:y": "\x00\ufffe\ud800"}, name="event")
@example(value={"": {"": []}}, name="\n")
def test_every_value_is_well_formed_xml(value: Any, name: str) -> None:
    root = ElementTree.fromstring(to_xml(name, value))
    if isinstance(value, str):
        assert len(root) == 0, "text became markup"
    if isinstance(value, dict):
        assert len(root) == len(value)


@in_time
@given(accept=st.text(max_size=80) | st.lists(st.sampled_from(["*/*", "q=", ";", ",", "text/xml", "1."])).map("".join))
def test_every_accept_header_is_ranked(accept: str) -> None:
    assert prefers_xml(accept) in (True, False)


OPERATOR = st.sampled_from(
    ["$and", "$or", "$not", "$eq", "$in", "$gt", "$exists", "type", "payload.a", "payload..", "$x"]
)
FILTER: st.SearchStrategy[Any] = st.recursive(
    SCALAR | JSON,
    lambda inner: st.dictionaries(OPERATOR, inner, max_size=3) | st.lists(inner, max_size=3),
    max_leaves=12,
)


@in_time
@given(document=FILTER, payload=st.dictionaries(st.sampled_from("ab"), JSON, max_size=2))
def test_a_filter_is_refused_with_its_problems_or_decides_on_every_event(
    document: Any, payload: dict[str, Any]
) -> None:
    problems = filter_problems(document)
    assert all(problem.code and problem.message for problem in problems)
    if problems or not (document is None or isinstance(document, dict)):
        return
    event = Event("e", EventType.SUBSCRIPTION_ORDER, "i", 1, account_id="A", payload=payload)
    assert compile_filter(document).judge(event).ruling in (Ruling.PASSES, Ruling.LEFT_OUT)


@in_time
@given(fields=st.dictionaries(st.text(max_size=3), JSON, max_size=5))
def test_a_stored_event_is_read_back_as_it_was(fields: dict[str, Any]) -> None:
    try:
        kept = orjson.loads(orjson.dumps(fields))
    except (TypeError, ValueError):
        return
    event = Event("e", EventType.SUBSCRIPTION_ORDER, "lane", 1, account_id="A", payload=kept)
    assert Event.from_stored("e", event.stored()) == event
