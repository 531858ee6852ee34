"""Answers that are not quite JSON or XML are read as far as they can be: a refusal is never taken for a success."""

from __future__ import annotations

import pytest

from dispatcher.model.event_type import EventType
from dispatcher.model.integration import AnswerMode
from dispatcher.model.status import Status
from dispatcher.policy.answers.outcome import Verdict, classify
from dispatcher.policy.answers.tolerant_json import read_top_level

REFUSALS = {
    "a lone surrogate": rb'{"success":false,"message":"Plan \ud83d"}',
    "a lone surrogate before it": rb'{"message":"Plan \ud83d","success":false}',
    "a number beyond double": b'{"limit":1e400,"success":false}',
    "NaN": b'{"usage":NaN,"success":false}',
    "Infinity": b'{"usage":-Infinity,"success":false}',
    "a raw newline": b'{"message":"one\ntwo","success":false}',
    "a raw tab in a name": b'{"a\tb":1,"success":false}',
    "junk behind it": b'{"success":false}</pre>',
    "a second object": b'{"success":false}{"success":true}',
    "a trailing comma": b'{"success":false,}',
    "a trailing comma within": b'{"list":[1,2,],"success":false}',
    "deep nesting": b'{"a":' + b"[" * 5000 + b"]" * 5000 + b',"success":false}',
    "an escape that is none": rb'{"path":"C:\dir","success":false}',
    "said twice, no first": b'{"success":false,"success":true}',
    "said twice, no last": b'{"success":true,"Success":"false"}',
    "as text": b'{"success":" False ","x":NaN}',
    "bytes that are no UTF-8": b'{"message":"caf\xe9","success":false}',
    "XML with a bare ampersand": b"<r><success>false</success><message>Fish & chips</message></r>",
    "XML with a bare ampersand before it": b"<r><message>Fish & chips; more</message><success>false</success></r>",
    "XML whose root ends otherwise": b"<r><success>false</success></s>",
}
NO_REFUSALS = {
    "within a text": rb'{"message":"\"success\":false","success":true}',
    "within a text of broken JSON": rb'{"message":"{\"success\":false}","success":true,}',
    "further down": b'{"detail":{"success":false},"success":true,}',
    "in a list": b'{"steps":[{"success":false}],"success":true,}',
    "further down in XML": b"<r><detail><success>false</success></detail><success>true</success><m>a & b</m></r>",
}


def read(body: bytes, *, truncated: bool = False, mode: AnswerMode = AnswerMode.AUTO) -> Verdict:
    return classify(200, body, truncated, None, mode, EventType.SUBSCRIPTION_CHANGE, None)


@pytest.mark.parametrize("mode", [AnswerMode.AUTO, AnswerMode.RESULT])
@pytest.mark.parametrize("body", REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_is_never_read_as_success_because_it_is_not_perfect(body: bytes, mode: AnswerMode) -> None:
    assert read(body, mode=mode).status is Status.FAILED


@pytest.mark.parametrize("body", NO_REFUSALS.values(), ids=NO_REFUSALS)
def test_only_a_field_of_the_top_level_refuses(body: bytes) -> None:
    assert read(body).status is Status.SUCCEEDED


@pytest.mark.parametrize("mode", [AnswerMode.AUTO, AnswerMode.RESULT])
@pytest.mark.parametrize("rest", [b',"message":"too lo', b',"list":[1,', b"", b"}", b"} \n"])
def test_a_refusal_in_the_kept_part_of_a_cut_body_counts(rest: bytes, mode: AnswerMode) -> None:
    assert read(b'{"success":false' + rest, truncated=True, mode=mode).status is Status.FAILED


def test_a_whole_refusal_in_xml_counts_where_more_was_announced() -> None:
    assert read(b"<r><success>false</success></r>", truncated=True).status is Status.FAILED


def test_the_words_of_an_imperfect_refusal_are_kept() -> None:
    verdict = read(rb'{"success":false,"errorCode":"MAX_USERS_REACHED","message":"Plan \ud83d is full",}')
    assert (verdict.error_code, verdict.message) == ("MAX_USERS_REACHED", "Plan \ufffd is full")


@pytest.mark.parametrize("body", [b'{"status":"fine",}', b'{"ok" true}', b"<r><a>1</b></r>", b"<r>a & b"])
def test_a_success_that_cannot_be_read_says_so(body: bytes) -> None:
    verdict = read(body)
    assert verdict.status is Status.SUCCEEDED
    assert "neither valid JSON nor XML" in (verdict.message or "")


@pytest.mark.parametrize("body", [b"OK", b"", b'{"status":"fine"}', b"[1]", b"<r><a>1</a></r>"])
def test_nothing_is_said_of_bodies_that_are_in_order(body: bytes) -> None:
    assert read(body) == read(b"")


@pytest.mark.parametrize("number", ["123456789012345678901", "1234.0", "1E3", "7", "0.10"])
def test_identifiers_that_are_numbers_are_kept_as_they_came(number: str) -> None:
    assert read(f'{{"success":true,"accountIdentifier":{number}}}'.encode()).account_identifier == number


def test_reading_costs_no_more_than_the_length_of_the_text() -> None:
    nasty = "{" + '"a":"' + "\\" * 30_000
    assert read_top_level(nasty).members == []
    assert read_top_level('{"a":' + "[" * 60_000).members == []
    assert len(read_top_level("{" + '"":1,' * 10_000).members) == 10_000
