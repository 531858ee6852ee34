"""Reads what a token endpoint answers (RFC 6749 §5). Pure; never trusts a field and never repeats a secret.

An answer counts when it is a JSON object of at most 64 KiB with a printable bearer token; anything else is a
failure that says what to do next.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from dispatcher.policy.retry import parse_retry_after
from dispatcher.store.secrets.tokens import AccessToken
from worker.http.answer import AnswerBody
from worker.oauth.values import TokenFailure

MAX_LIFETIME_S = 86_400
MAX_TOKEN_CHARS = 16 * 1024
MAX_DETAIL_CHARS = 300

TRANSPORT_ERROR = "TRANSPORT_ERROR"
INVALID_RESPONSE = "INVALID_RESPONSE"
CONFIGURATION_ERROR = "CONFIGURATION_ERROR"
UNAUTHORIZED = "UNAUTHORIZED"

_TOKEN = re.compile(rf"[\x21-\x7e]{{1,{MAX_TOKEN_CHARS}}}")
_ERROR_CODE = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]+")

_BY_OAUTH_ERROR: dict[str, tuple[str, str]] = {
    "invalid_client": (UNAUTHORIZED, "check client id, secret and authMethod"),
    "unauthorized_client": (UNAUTHORIZED, "allow the client_credentials grant for this client"),
    "invalid_scope": (CONFIGURATION_ERROR, "check the scope"),
    "invalid_target": (CONFIGURATION_ERROR, "check audience and resource"),
    "unsupported_grant_type": (CONFIGURATION_ERROR, "the endpoint must support client_credentials"),
    "invalid_request": (CONFIGURATION_ERROR, "check tokenUri and authMethod"),
}
_BY_STATUS: dict[int, tuple[str, str]] = {
    400: (CONFIGURATION_ERROR, "check tokenUri, authMethod and scope"),
    401: (UNAUTHORIZED, "check client id, secret and authMethod"),
    403: (UNAUTHORIZED, "check that this client may ask for tokens"),
    404: (CONFIGURATION_ERROR, "check tokenUri"),
    405: (CONFIGURATION_ERROR, "check tokenUri"),
}
_UNSUPPORTED = (TRANSPORT_ERROR, "it is tried again")


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """One answer as it came. ``asked_at_s``: when the request was sent, from which the lifetime counts."""

    status: int
    headers: Mapping[str, str]
    body: AnswerBody
    asked_at_s: float


def read_token(answer: TokenAnswer) -> AccessToken | TokenFailure:
    """The token, good until ``asked_at_s + expires_in``; without ``expires_in`` until ``asked_at_s``."""
    if answer.status not in (200, 201):
        return _refusal(answer)
    if answer.body.truncated:
        return _invalid("its answer is cut off or larger than 64 KiB")
    fields = _fields(answer.body.data)
    if fields is None:
        return _invalid("its answer is not a JSON object")
    kind = fields.get("token_type", "bearer")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        return _invalid("token_type is not Bearer")
    value = fields.get("access_token")
    if not isinstance(value, str) or not _TOKEN.fullmatch(value):
        return _invalid("access_token is missing, too long or not printable")
    return AccessToken(value, answer.asked_at_s, answer.asked_at_s + _lifetime_s(fields.get("expires_in")))


def _lifetime_s(value: Any) -> int:
    """0 to ``MAX_LIFETIME_S``; what cannot be read as seconds is 0, so that nothing is kept."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 20:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0
    return int(min(max(value, 0), MAX_LIFETIME_S))


def _refusal(answer: TokenAnswer) -> TokenFailure:
    fields = _fields(answer.body.data) or {}
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


def _invalid(what: str) -> TokenFailure:
    return TokenFailure(INVALID_RESPONSE, f"token endpoint answered without a usable token, {what}: check tokenUri")


def _fields(data: bytes) -> dict[str, Any] | None:
    try:
        found = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None


def _text(value: Any) -> str:
    return _UNPRINTABLE.sub(" ", value)[:MAX_DETAIL_CHARS].strip() if isinstance(value, str) else ""
