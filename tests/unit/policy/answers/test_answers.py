"""Meaning of a host's answer."""

from __future__ import annotations

import json

import pytest

from dispatcher.model.attempt import Outcome
from dispatcher.model.event_type import EventType
from dispatcher.model.integration import AnswerMode
from dispatcher.model.status import Status
from dispatcher.policy.answers.outcome import ERROR_CODES, Verdict, classify, conclude, conclude_later

ORDER = EventType.SUBSCRIPTION_ORDER
CHANGE = EventType.SUBSCRIPTION_CHANGE
MODES = tuple(AnswerMode)


def answer(
    status: int = 200,
    body: bytes | str | dict[str, object] = b"",
    *,
    truncated: bool = False,
    content_type: str | None = "application/json",
    mode: AnswerMode = AnswerMode.AUTO,
    event_type: EventType = CHANGE,
    flag: str | None = None,
) -> Verdict:
    raw = json.dumps(body).encode() if isinstance(body, dict) else body.encode() if isinstance(body, str) else body
    return classify(status, raw, truncated, content_type, mode, event_type, flag)


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 404, 429, 500, 503, 999])
@pytest.mark.parametrize("mode", MODES)
def test_every_answer_but_2xx_and_410_is_tried_again(status: int, mode: AnswerMode) -> None:
    verdict = answer(status, {"success": True}, mode=mode)
    assert (verdict.outcome, verdict.status) == (Outcome.HTTP_ERROR, Status.RETRYING)
    assert str(status) in (verdict.message or "")


@pytest.mark.parametrize("mode", MODES)
def test_410_ends_the_event_and_suspends_the_url(mode: AnswerMode) -> None:
    verdict = answer(410, mode=mode)
    assert (verdict.outcome, verdict.status, verdict.suspend_url) == (Outcome.HTTP_ERROR, Status.DEAD, True)


@pytest.mark.parametrize("mode", [AnswerMode.AUTO, AnswerMode.RESULT])
def test_202_awaits_the_result(mode: AnswerMode) -> None:
    verdict = answer(202, mode=mode, event_type=ORDER)
    assert (verdict.outcome, verdict.status) == (Outcome.ACCEPTED, Status.AWAITING_RESULT)


@pytest.mark.parametrize(
    ("event_type", "flag"),
    [(EventType.SUBSCRIPTION_NOTICE, None), (EventType.SUBSCRIPTION_STATUS, None), (ORDER, "STATELESS")],
)
def test_202_needs_no_result_for_notices_status_and_pings(event_type: EventType, flag: str | None) -> None:
    assert answer(202, event_type=event_type, flag=flag).status is Status.SUCCEEDED


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_ack_takes_any_2xx_and_reads_nothing(status: int) -> None:
    verdict = answer(status, {"success": False}, mode=AnswerMode.ACK, event_type=ORDER)
    assert verdict == Verdict(Outcome.OK, Status.SUCCEEDED)


@pytest.mark.parametrize("mode", [AnswerMode.AUTO, AnswerMode.RESULT])
@pytest.mark.parametrize(
    "body",
    [
        '{"success":true,"accountIdentifier":"A-1"}',
        '{"success":"true","accountIdentifier":"A-1"}',
        '{"Success":"TRUE","AccountIdentifier":" A-1 "}',
        '\ufeff{"success":true,"accountIdentifier":"A-1"}',
        "<result><success>true</success><accountIdentifier>A-1</accountIdentifier></result>",
        (
            '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
            '<ns:Result xmlns:ns="urn:x"><ns:Success> true </ns:Success>'
            "<ns:accountIdentifier><![CDATA[A-1]]></ns:accountIdentifier></ns:Result>"
        ),
    ],
)
def test_success_is_read_from_json_and_xml(body: str, mode: AnswerMode) -> None:
    verdict = answer(200, body, mode=mode, event_type=ORDER)
    assert verdict == Verdict(Outcome.OK, Status.SUCCEEDED, account_identifier="A-1")


@pytest.mark.parametrize("body", ['{"success":false}', '{"success":"False"}', "<r><success>false</success></r>"])
def test_success_false_is_a_business_answer_and_final(body: str) -> None:
    verdict = answer(200, body)
    assert (verdict.outcome, verdict.status, verdict.error_code) == (Outcome.REFUSED, Status.FAILED, "UNKNOWN_ERROR")


@pytest.mark.parametrize("code", sorted(set(ERROR_CODES) - {"PENDING"}))
def test_every_known_error_code_is_kept(code: str) -> None:
    verdict = answer(200, {"success": False, "errorCode": code, "message": "why"})
    assert (verdict.status, verdict.error_code, verdict.message) == (Status.FAILED, code, "why")


def test_there_are_fifteen_known_error_codes() -> None:
    assert len(ERROR_CODES) == 15


@pytest.mark.parametrize("code", ["OPERATION_CANCELED", "OPERATION_CANCELLED", "operation_cancelled"])
def test_both_spellings_of_cancelled_mean_the_same(code: str) -> None:
    assert answer(200, {"success": False, "errorCode": code}).error_code == "OPERATION_CANCELLED"


def test_an_unknown_error_code_keeps_the_hosts_own_words() -> None:
    verdict = answer(200, {"success": False, "errorCode": "QUOTA_9", "message": "full"})
    assert verdict.error_code == "UNKNOWN_ERROR"
    assert (verdict.raw_error_code, verdict.message) == ("QUOTA_9", "QUOTA_9: full")


@pytest.mark.parametrize("code", ["PENDING", "PENDING_USER_ACTIVATION", "PENDING_REMOTE_CREATION"])
def test_pending_is_tried_again(code: str) -> None:
    verdict = answer(200, {"success": False, "errorCode": code})
    assert (verdict.status, verdict.error_code) == (Status.RETRYING, "PENDING")


UNREADABLE = ["", "OK", "[]", "null", '{"success":1}', '{"ok":true}', '{"success":tr', "<html>", "<!DOCTYPE html><a/>"]


@pytest.mark.parametrize("body", UNREADABLE)
def test_auto_takes_a_2xx_that_says_nothing_as_success(body: str) -> None:
    assert answer(200, body).status is Status.SUCCEEDED


@pytest.mark.parametrize("body", UNREADABLE)
def test_result_tries_again_after_a_2xx_that_says_nothing(body: str) -> None:
    verdict = answer(200, body, mode=AnswerMode.RESULT)
    assert (verdict.outcome, verdict.status) == (Outcome.INVALID_RESPONSE, Status.RETRYING)
    assert verdict.error_code == "INVALID_RESPONSE"


def test_result_fails_an_order_without_account_identifier() -> None:
    verdict = answer(200, {"success": True}, mode=AnswerMode.RESULT, event_type=ORDER)
    assert (verdict.outcome, verdict.status) == (Outcome.INVALID_RESPONSE, Status.FAILED)
    assert answer(200, {"success": True}, mode=AnswerMode.RESULT).status is Status.SUCCEEDED
    stateless = answer(200, {"success": True}, mode=AnswerMode.RESULT, event_type=ORDER, flag="STATELESS")
    assert stateless.status is Status.SUCCEEDED
    assert answer(200, {"success": True}, event_type=ORDER).status is Status.SUCCEEDED


@pytest.mark.parametrize("identifier", ["", " ", "a" * 256, "a\nb", None, ["a"], {"a": 1}])
def test_an_unusable_account_identifier_counts_as_absent(identifier: object) -> None:
    assert answer(200, {"success": True, "accountIdentifier": identifier}, event_type=ORDER).account_identifier is None


def test_a_number_is_taken_as_account_identifier() -> None:
    assert answer(200, {"success": True, "accountIdentifier": 206123}).account_identifier == "206123"


@pytest.mark.parametrize(
    ("mode", "status"),
    [
        (AnswerMode.AUTO, Status.SUCCEEDED),
        (AnswerMode.ACK, Status.SUCCEEDED),
        (AnswerMode.RESULT, Status.RETRYING),
    ],
)
def test_a_body_that_never_ends_is_success_unless_a_result_is_wanted(mode: AnswerMode, status: Status) -> None:
    verdict = answer(200, '{"progress":1}', truncated=True, mode=mode)
    assert verdict.status is status
    assert "over 64 KiB" in (verdict.message or "")


@pytest.mark.parametrize(
    ("charset", "codec"),
    [("ISO-8859-1", "latin-1"), ("windows-1252", "cp1252"), ("utf-16", "utf-16"), ("nope", "utf-8")],
)
def test_a_refusal_in_another_charset_is_still_a_refusal(charset: str, codec: str) -> None:
    body = '{"success":false,"errorCode":"USER_NOT_FOUND","message":"non trouvé"}'.encode(codec)
    verdict = answer(200, body, content_type=f"application/json; charset={charset}")
    assert (verdict.error_code, verdict.message) == ("USER_NOT_FOUND", "non trouvé")


def test_undeclared_bytes_that_are_not_utf8_do_not_hide_a_refusal() -> None:
    verdict = answer(200, b'{"success":false,"errorCode":"FORBIDDEN","message":"\xe9"}')
    assert verdict.error_code == "FORBIDDEN"


def test_xml_in_latin1_is_read_by_its_declaration() -> None:
    body = '<?xml version="1.0" encoding="ISO-8859-1"?><r><success>false</success><message>é</message></r>'
    assert answer(200, body.encode("latin-1"), content_type="application/xml").message == "é"


HOSTILE_XML = [
    '<!DOCTYPE r [<!ENTITY a "b">]><r><success>false</success></r>',
    '<!doctype r SYSTEM "file:///etc/passwd"><r><success>false</success></r>',
    "<r><success>&a;</success></r>",
    "<r>" * 20_000,
    "<r>" * 17 + "</r>" * 17,
    "<r>" + "<a/>" * 2000 + "<success>false</success></r>",
    "<r><x><success>false</success></x></r>",
    '<?xml version="1.0" encoding="utf-7"?><r><success>+</success>',
    "<",
]


@pytest.mark.parametrize("body", HOSTILE_XML, ids=range(len(HOSTILE_XML)))
def test_hostile_xml_is_unreadable_and_never_raises(body: str) -> None:
    assert answer(200, body, content_type="text/xml", mode=AnswerMode.RESULT).status is Status.RETRYING


@pytest.mark.parametrize("body", [b"[" * 60_000, b'{"a":' * 10_000, b"\xff" * 100, b'{"success":"\xed\xa0\x80"}'])
def test_hostile_json_is_unreadable_and_never_raises(body: bytes) -> None:
    assert answer(200, body, mode=AnswerMode.RESULT).status is Status.RETRYING


def test_an_answer_over_64_kib_is_not_read() -> None:
    assert answer(200, b'{"success":false}' + b" " * 65_536).status is Status.SUCCEEDED


def test_a_reported_result_follows_the_same_rules() -> None:
    reported = conclude({"success": True, "accountIdentifier": "A-1"}, AnswerMode.RESULT, ORDER, None)
    assert reported == Verdict(Outcome.OK, Status.SUCCEEDED, account_identifier="A-1")
    assert conclude({"accountIdentifier": "A-1"}, AnswerMode.AUTO, ORDER, None) is None


def test_a_reported_pending_keeps_awaiting_the_result() -> None:
    pending = conclude_later({"success": "false", "errorCode": "PENDING"}, AnswerMode.AUTO, ORDER, None)
    assert pending is not None
    assert pending.status is Status.AWAITING_RESULT
    refused = conclude_later({"success": False, "errorCode": "FORBIDDEN"}, AnswerMode.AUTO, ORDER, None)
    assert refused is not None
    assert refused.status is Status.FAILED


def test_the_same_short_answer_is_read_for_each_event_by_itself() -> None:
    """It is read once for all that decides: event type, mode, flag, type of the body, and whether it was cut off."""
    body = {"success": True, "accountIdentifier": "a-1"}
    assert answer(body=body) is answer(body=body)
    assert answer(202, body).status is Status.AWAITING_RESULT
    assert answer(202, body, flag="STATELESS").status is Status.SUCCEEDED
    assert answer(body=body, mode=AnswerMode.RESULT, truncated=True).status is Status.RETRYING
    assert answer(body={"success": True}, mode=AnswerMode.RESULT, event_type=ORDER).status is Status.FAILED
    assert answer(body={"success": True}, mode=AnswerMode.RESULT).status is Status.SUCCEEDED


@pytest.mark.parametrize(
    ("body", "content_type"),
    [({"success": True, "accountIdentifier": "a" * 250}, "application/json"), ({"success": True}, "x" * 250)],
)
def test_long_answers_of_hosts_are_not_kept(body: dict[str, object], content_type: str) -> None:
    assert answer(body=body, content_type=content_type).account_identifier == body.get("accountIdentifier")
    kept = answer(body=body | {"accountIdentifier": "b" * 250}, content_type=content_type)
    assert kept is not answer(body=body | {"accountIdentifier": "b" * 250}, content_type=content_type)
