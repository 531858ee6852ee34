"""The verdict on a host's answer: succeeded, refused, accepted for later, or to be tried again.

Never raises on what a host sends, and never decides when the next attempt is (``dispatcher.policy.pace.retry``).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

from dispatcher.model.attempt import Outcome
from dispatcher.model.event_type import EventType
from dispatcher.model.integration import AnswerMode
from dispatcher.model.status import Status
from dispatcher.policy.answers.body import BodyReading, Fields, read_answer

STATELESS: Final = "STATELESS"
PENDING: Final = "PENDING"
INVALID_RESPONSE: Final = "INVALID_RESPONSE"
UNKNOWN_ERROR: Final = "UNKNOWN_ERROR"
GONE: Final = "HTTP 410: the host wants no more notifications at this URL"
TRANSPORT_ERROR: Final = "TRANSPORT_ERROR"

ERROR_CODES: dict[str, str] = {
    code: code
    for code in (
        "USER_ALREADY_EXISTS",
        "USER_NOT_FOUND",
        "ACCOUNT_NOT_FOUND",
        "MAX_USERS_REACHED",
        "UNAUTHORIZED",
        "OPERATION_CANCELLED",
        "CONFIGURATION_ERROR",
        INVALID_RESPONSE,
        PENDING,
        "FORBIDDEN",
        "BINDING_NOT_FOUND",
        TRANSPORT_ERROR,
        UNKNOWN_ERROR,
        "INVALID_OPERATION",
        "NOT_FOUND",
    )
}
"""The codes that events carry."""

_ALIASES: dict[str, str] = ERROR_CODES | {
    "OPERATION_CANCELED": "OPERATION_CANCELLED",
    "PENDING_USER_ACTIVATION": PENDING,
    "PENDING_REMOTE_CREATION": PENDING,
    "PENDING_REMOTE_CANCELLATION": PENDING,
}
"""Words of hosts → the code that events carry."""

_ANSWERED_AT_ONCE: frozenset[EventType] = frozenset({EventType.SUBSCRIPTION_NOTICE, EventType.SUBSCRIPTION_STATUS})
"""Types for which no result is awaited after a 202."""

_MAX_MESSAGE_CHARS = 1000
_MAX_IDENTIFIER_CHARS = 255
_MAX_RAW_CODE_CHARS = 100
_ALIKE_BYTES = 256
"""Of a body with its content type: what a host may have kept in memory of each of its answers."""


class Verdict(NamedTuple):
    """The end of an attempt and the next status of its event. ``raw_error_code`` is the host's own word.

    RETRYING means that another attempt is wanted; whether there is one is the schedule's matter.
    """

    outcome: Outcome
    status: Status
    error_code: str | None = None
    message: str | None = None
    account_identifier: str | None = None
    raw_error_code: str | None = None
    suspend_url: bool = False
    """410 Gone: send nothing more to this URL until somebody enables it."""

    def noting(self, what: str) -> Verdict:
        """With one more thing to say of the attempt. A refusal keeps the host's own words."""
        if self.outcome is Outcome.REFUSED:
            return self
        return self._replace(message=f"{self.message}; {what}" if self.message else what)


_OK = Verdict(Outcome.OK, Status.SUCCEEDED)
_BROKEN_OFF = _OK._replace(message="the body broke off, did not end in time or is over 64 KiB: the status counted")
_ODD = "the body is neither valid JSON nor XML: it was read as far as possible, and the status counted"
_AWAITING = Verdict(Outcome.ACCEPTED, Status.AWAITING_RESULT)
_ACCEPTED = Verdict(Outcome.ACCEPTED, Status.SUCCEEDED)


def classify(
    status: int,
    body: bytes,
    truncated: bool,
    content_type: str | None,
    mode: AnswerMode,
    event_type: EventType,
    flag: str | None,
) -> Verdict:
    """The meaning of one HTTP answer. ``truncated``: the body failed, never ended, or was over 64 KiB."""
    is_short = len(body) + len(content_type or "") <= _ALIKE_BYTES
    classified = _classified_once if is_short else _classified
    return classified(status, body, truncated, content_type, mode, event_type, flag)


def _classified(
    status: int,
    body: bytes,
    truncated: bool,
    content_type: str | None,
    mode: AnswerMode,
    event_type: EventType,
    flag: str | None,
) -> Verdict:
    if not 200 <= status < 300:
        return _http_error(status)
    if mode is AnswerMode.ACK:
        return _BROKEN_OFF if truncated else _OK
    if status == 202:
        return _ACCEPTED if flag == STATELESS or event_type in _ANSWERED_AT_ONCE else _AWAITING
    reading = read_answer(body, content_type)
    if reading.denies or (truncated and _says_no(reading.fields)):
        return _refused(reading.fields or {})
    return _cut_off(mode) if truncated else _read(reading, mode, event_type, flag)


_classified_once = lru_cache(maxsize=4096)(_classified)
"""Hosts give the same few short answers again and again."""


def _cut_off(mode: AnswerMode) -> Verdict:
    return _unreadable(truncated=True) if mode is AnswerMode.RESULT else _BROKEN_OFF


def _read(reading: BodyReading, mode: AnswerMode, event_type: EventType, flag: str | None) -> Verdict:
    """The verdict of a whole body; a success that is not quite JSON or XML says so."""
    fields = reading.fields
    verdict = conclude(fields, mode, event_type, flag) if fields is not None else None
    if verdict is None and mode is AnswerMode.RESULT:
        return _unreadable(truncated=False)
    if verdict is None:
        verdict = _OK if fields is None else _succeeded(fields)
    return verdict._replace(message=_ODD) if reading.odd and verdict.message is None else verdict


def conclude(fields: Fields, mode: AnswerMode, event_type: EventType, flag: str | None) -> Verdict | None:
    """The meaning of a result, read from an answer or reported later; None = no readable ``success``.

    With ``errorCode`` PENDING the status is RETRYING: who reports results later keeps awaiting one instead.
    """
    success = _SUCCESS.get(_word(_value(fields, "success")).lower())
    if success is None:
        return None
    if not success:
        return _refused(fields)
    verdict = _succeeded(fields)
    if mode is AnswerMode.RESULT and _lacks_account(verdict, event_type, flag):
        text = "the answer to SUBSCRIPTION_ORDER lacks accountIdentifier; send it, or set answers to auto"
        return Verdict(Outcome.INVALID_RESPONSE, Status.FAILED, INVALID_RESPONSE, text)
    return verdict


def conclude_later(fields: Fields, mode: AnswerMode, event_type: EventType, flag: str | None) -> Verdict | None:
    """As ``conclude``, for a result reported after a 202: PENDING leaves the event AWAITING_RESULT."""
    verdict = conclude(fields, mode, event_type, flag)
    if verdict is not None and verdict.status is Status.RETRYING:
        return verdict._replace(status=Status.AWAITING_RESULT)
    return verdict


_SUCCESS: dict[str, bool] = {"true": True, "false": False}


def _says_no(fields: Fields | None) -> bool:
    return fields is not None and _SUCCESS.get(_word(_value(fields, "success")).lower()) is False


def _http_error(status: int) -> Verdict:
    if status == 410:
        return Verdict(Outcome.HTTP_ERROR, Status.DEAD, TRANSPORT_ERROR, GONE, suspend_url=True)
    redirect = " (redirects are not followed)" if 300 <= status < 400 else ""
    return Verdict(Outcome.HTTP_ERROR, Status.RETRYING, TRANSPORT_ERROR, f"HTTP {status}{redirect}")


def _unreadable(truncated: bool) -> Verdict:
    text = "the body did not end in time or is over 64 KiB" if truncated else "no readable success in the body"
    return Verdict(Outcome.INVALID_RESPONSE, Status.RETRYING, INVALID_RESPONSE, text)


def _succeeded(fields: Fields) -> Verdict:
    identifier = _word(_value(fields, "accountIdentifier"))
    if not identifier or len(identifier) > _MAX_IDENTIFIER_CHARS or not identifier.isprintable():
        return _OK
    return Verdict(Outcome.OK, Status.SUCCEEDED, account_identifier=identifier)


def _lacks_account(verdict: Verdict, event_type: EventType, flag: str | None) -> bool:
    return verdict.account_identifier is None and event_type is EventType.SUBSCRIPTION_ORDER and flag != STATELESS


def _refused(fields: Fields) -> Verdict:
    raw = _word(_value(fields, "errorCode"))[:_MAX_RAW_CODE_CHARS]
    code = _ALIASES.get(raw.upper(), UNKNOWN_ERROR)
    message = _word(_value(fields, "message"))
    if raw and code == UNKNOWN_ERROR and raw.upper() != UNKNOWN_ERROR:
        message = f"{raw}: {message}" if message else raw
    return Verdict(
        Outcome.REFUSED,
        Status.RETRYING if code == PENDING else Status.FAILED,
        code,
        message[:_MAX_MESSAGE_CHARS] or None,
        raw_error_code=raw or None,
    )


def _value(fields: Fields, name: str) -> object:
    """A field by its exact name, else by its name in any case: hosts differ, XML ones most."""
    if name in fields:
        return fields[name]
    wanted = name.lower()
    return next((value for key, value in fields.items() if key.lower() == wanted), None)


def _word(value: object) -> str:
    """Text of a scalar; anything else is empty."""
    if isinstance(value, str):
        return value.strip()
    return str(value) if isinstance(value, bool | int) else ""
