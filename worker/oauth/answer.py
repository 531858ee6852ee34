"""Reads what a token endpoint answers (RFC 6749 §5). Pure; never trusts a field and never repeats a secret.

An answer counts when it is an object of at most 64 KiB with a printable bearer token, read as answers of hosts are (any
charset, JSON that is not perfect); anything else is a failure that says what to do next.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from dispatcher.policy.answers.body import Fields, read_fields
from dispatcher.policy.pace.retry import parse_retry_after
from dispatcher.store.secrets.tokens import AccessToken
from worker.http.answer import AnswerBody
from worker.oauth.values import TokenFailure

MAX_LIFETIME_S = 86_400
DEFAULT_LIFETIME_S = 300.0
"""Of a token whose answer names no lifetime, unless a setting or the integration does."""
MAX_TOKEN_CHARS = 16 * 1024
MAX_DETAIL_CHARS = 300

TRANSPORT_ERROR = "TRANSPORT_ERROR"
INVALID_RESPONSE = "INVALID_RESPONSE"
CONFIGURATION_ERROR = "CONFIGURATION_ERROR"
UNAUTHORIZED = "UNAUTHORIZED"

_TOKEN = re.compile(rf"[\x21-\x7e]{{1,{MAX_TOKEN_CHARS}}}")
_ERROR_CODE = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_LIFETIME = re.compile(r"[0-9]{1,400}(?:\.[0-9]{0,400})?(?:[eE]\+?[0-9]{1,3})?")
_LEADING = b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n"
"""Bytes that may stand before the first character: byte order marks, the zeros of UTF-16, blanks."""
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]+")

_BY_OAUTH_ERROR: dict[str, tuple[str, str]] = {
    "invalid_client": (UNAUTHORIZED, "check client id, secret and authMethod"),
    "unauthorized_client": (UNAUTHORIZED, "allow the client_credentials grant for this client"),
    "invalid_scope": (CONFIGURATION_ERROR, "check the scope"),
    "invalid_target": (CONFIGURATION_ERROR, "check audience and resource"),
    "unsupported_grant_type": (CONFIGURATION_ERROR, "the endpoint must support client_credentials"),
    "invalid_request": (CONFIGURATION_ERROR, "check tokenUri and authMethod"),
    "incorrect_client_credentials": (UNAUTHORIZED, "check client id, secret and authMethod"),
    "bad_client_secret": (UNAUTHORIZED, "check the client secret"),
    "invalid_client_id": (UNAUTHORIZED, "check the client id"),
}
"""Of RFC 6749 §5.2, and the words of GitHub and Slack."""
_BY_STATUS: dict[int, tuple[str, str]] = {
    200: (CONFIGURATION_ERROR, "check outboundCredentials"),
    400: (CONFIGURATION_ERROR, "check tokenUri, authMethod and scope"),
    401: (UNAUTHORIZED, "check client id, secret and authMethod"),
    403: (UNAUTHORIZED, "check that this client may ask for tokens"),
    404: (CONFIGURATION_ERROR, "check tokenUri"),
    405: (CONFIGURATION_ERROR, "check tokenUri"),
}
_UNSUPPORTED = (TRANSPORT_ERROR, "see its log")


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """One answer as it came. ``asked_at_s``: when the request was sent, from which the lifetime counts."""

    status: int
    headers: Mapping[str, str]
    body: AnswerBody
    asked_at_s: float


def read_token(
    answer: TokenAnswer, *, unnamed_lifetime_s: float = 0.0, any_type: bool = False
) -> AccessToken | TokenFailure:
    """The token, good until ``asked_at_s + expires_in``; ``unnamed_lifetime_s`` is in the place of a missing one.

    ``any_type``: a token that is not called Bearer is taken for one.
    """
    fields = fields_of(answer)
    if answer.status not in (200, 201) or (fields and _is_error(fields)):
        return _refusal(answer, fields or {})
    if answer.body.truncated:
        return _invalid("its answer is cut off or larger than 64 KiB")
    if fields is None:
        return _invalid("its answer is not a JSON object")
    kind = fields.get("token_type") or "bearer"
    if not any_type and (not isinstance(kind, str) or kind.strip().lower() != "bearer"):
        hint = "set outboundCredentials.ignoreTokenType to send it as a Bearer token"
        return _invalid(f"token_type is {_text(kind)[:40] or 'no text'} and not Bearer", hint)
    value = fields.get("access_token")
    if not isinstance(value, str) or not _TOKEN.fullmatch(value):
        return _invalid("access_token is missing, too long or not printable")
    lifetime_s = _lifetime_s(fields.get("expires_in"), unnamed_lifetime_s)
    return AccessToken(value, answer.asked_at_s, answer.asked_at_s + lifetime_s)


def fields_of(answer: TokenAnswer) -> Fields | None:
    """The object that it holds, whatever its charset; None = it holds none, or is a page."""
    if answer.body.data.lstrip(_LEADING).startswith(b"<"):
        return None
    return read_fields(answer.body.data, answer.headers.get("Content-Type"))


def _is_error(fields: Fields) -> bool:
    """With status 200, as GitHub and Slack have it: an error and no token."""
    return isinstance(fields.get("error"), str) and bool(fields["error"]) and not fields.get("access_token")


def _lifetime_s(value: object, unnamed_s: float) -> float:
    """0 to ``MAX_LIFETIME_S``; what cannot be read as seconds is 0, so that nothing is kept."""
    if value is None or value == "":
        return unnamed_s
    text = value.strip() if isinstance(value, str) else str(value)
    if isinstance(value, bool) or not _LIFETIME.fullmatch(text):
        return 0
    return int(min(float(text), MAX_LIFETIME_S))


def _refusal(answer: TokenAnswer, fields: Fields) -> TokenFailure:
    error = fields.get("error")
    named = error if isinstance(error, str) and _ERROR_CODE.fullmatch(error) else ""
    code, advice = _BY_OAUTH_ERROR.get(named) or _BY_STATUS.get(answer.status, _UNSUPPORTED)
    if 300 <= answer.status < 400:
        code, advice = CONFIGURATION_ERROR, "redirects are not followed; set tokenUri to the final address"
    said = " ".join(part for part in (named, _text(fields.get("error_description"))) if part)
    told = f" ({said})" if said else ""
    return TokenFailure(code, f"token endpoint answered {answer.status}{told}: {advice}", _retry_after_s(answer))


def _retry_after_s(answer: TokenAnswer) -> float | None:
    value = answer.headers.get("Retry-After")
    return None if value is None else parse_retry_after(value, answer.asked_at_s)


def _invalid(what: str, hint: str = "check tokenUri") -> TokenFailure:
    return TokenFailure(INVALID_RESPONSE, f"token endpoint answered without a usable token, {what}: {hint}")


def _text(value: object) -> str:
    return _UNPRINTABLE.sub(" ", value)[:MAX_DETAIL_CHARS].strip() if isinstance(value, str) else ""
