"""What the fields of an integration may hold. Pure: lists problems, changes and contacts nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from dispatcher.errors import Problem
from dispatcher.flow.integrations.changes import UrlRule
from dispatcher.model.integration import (
    AuthMethod,
    CredentialType,
    LaneLimits,
    OrderFormField,
    OutboundCredentials,
    RetryPolicy,
    Revision,
)
from dispatcher.policy.filters import filter_problems

MAX_NAME_CHARS = 255
MAX_SECRET_CHARS = 4096
MAX_DELAYS = 50
MAX_FORM_FIELDS = 100
MAX_LABEL_CHARS = 255
MAX_PROBE_MINUTES = 7 * 24 * 60
FORM_FIELD_TYPES = ("TEXT", "TEXT_AREA", "NUMBER", "BOOLEAN", "DATE", "EMAIL", "PHONE", "URL")
"""What a marketplace can ask a buyer for; answers are passed on as they are."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_DAY_S = 86_400.0

_CREDENTIAL_TEXTS: tuple[tuple[str, str, int], ...] = (
    ("client_id", "clientId", 255),
    ("scope", "scope", 4096),
    ("audience", "audience", 2048),
    ("resource", "resource", 2048),
    ("key_id", "keyId", 255),
)
"""Attribute, field name and most characters."""
_BOUNDS: tuple[tuple[str, str, float, float], ...] = (
    ("timeout_s", "requestTimeout", 0.1, 300.0),
    ("max_age_s", "maxAge", 1.0, 30 * _DAY_S),
    ("concurrency", "concurrency", 1, 10_000),
    ("rate_per_s", "rateLimit", 0.001, 100_000.0),
    ("result_deadline_s", "resultDeadline", 1.0, 90 * _DAY_S),
)
"""Attribute, field name, least and most."""


def name_problems(name: str, field: str) -> Iterator[Problem]:
    """A name or an id from outside: 1 to 255 characters, none of them a control character, and not only blanks."""
    if not name.strip() or len(name) > MAX_NAME_CHARS or _CONTROL.search(name):
        yield Problem("invalid_text", f"{field} must have 1 to {MAX_NAME_CHARS} printable characters.", field)


def too_long(field: str, most: int) -> Problem:
    return Problem("too_long", f"At most {most} characters.", field)


def probe_problems(interval_minutes: int | None) -> Iterator[Problem]:
    if interval_minutes is not None and not 1 <= interval_minutes <= MAX_PROBE_MINUTES:
        text = f"probeIntervalMinutes must be between 1 and {MAX_PROBE_MINUTES}; null turns probes off."
        yield Problem("out_of_range", text, "probeIntervalMinutes")


def revision_problems(working: Revision, url_rule: UrlRule) -> Iterator[Problem]:
    """Everything wrong with a version, field by field, in the names that publishers use."""
    for field, url in working.urls.items():
        if problem := url_rule(url, field):
            yield problem
    yield from credential_problems(working.credentials, url_rule)
    yield from _bound_problems(working.retry, working.limits, working)
    yield from _schedule_problems(working.retry.schedule_s or ())
    yield from _form_problems(working.order_form_fields)
    if working.filter is not None:
        yield from filter_problems(working.filter)


def credential_problems(credentials: OutboundCredentials, url_rule: UrlRule) -> Iterator[Problem]:
    """Whether these credentials can ever work; their token endpoint is not contacted."""
    for needed in _needed(credentials):
        yield Problem("required", f"{credentials.type} credentials need {needed}.", f"outboundCredentials.{needed}")
    if credentials.token_uri and (problem := url_rule(credentials.token_uri, "outboundCredentials.tokenUri")):
        yield problem
    for attribute, name, most in _CREDENTIAL_TEXTS:
        text = getattr(credentials, attribute) or ""
        if len(text) > most:
            yield too_long(f"outboundCredentials.{name}", most)
        if _CONTROL.search(text):
            yield Problem("invalid_text", f"{name} holds control characters.", f"outboundCredentials.{name}")
    if credentials.type is CredentialType.BASIC and ":" in credentials.client_id:
        text = "A user name for Basic has no colon (RFC 7617 §2)."
        yield Problem("invalid_text", text, "outboundCredentials.clientId")


def _needed(credentials: OutboundCredentials) -> Iterator[str]:
    """Names of the fields that are missing."""
    if credentials.type is CredentialType.NONE:
        return
    if not credentials.client_id:
        yield "clientId"
    if credentials.type is CredentialType.OAUTH2 and not credentials.token_uri:
        yield "tokenUri"
    method = credentials.auth_method if credentials.type is CredentialType.OAUTH2 else None
    if method is AuthMethod.PRIVATE_KEY_JWT:
        if not credentials.private_key:
            yield "privateKey"
    elif not (method and method.by_certificate) and not credentials.client_secret:
        yield "clientSecret"


def _bound_problems(*parts: RetryPolicy | LaneLimits | Revision) -> Iterator[Problem]:
    for attribute, field, least, most in _BOUNDS:
        value = next((getattr(part, attribute) for part in parts if hasattr(part, attribute)), None)
        if value is not None and not least <= value <= most:
            yield Problem("out_of_range", f"{field} must be between {least:.15g} and {most:.15g}.", field)


def _schedule_problems(schedule_s: Sequence[float]) -> Iterator[Problem]:
    if len(schedule_s) > MAX_DELAYS or any(not 0 <= delay <= 30 * _DAY_S for delay in schedule_s):
        text = f"Give at most {MAX_DELAYS} delays, each between 0 and {30 * _DAY_S:.0f} seconds."
        yield Problem("out_of_range", text, "retrySchedule")


def _form_problems(fields: Sequence[OrderFormField]) -> Iterator[Problem]:
    if len(fields) > MAX_FORM_FIELDS:
        yield Problem("limit_reached", f"At most {MAX_FORM_FIELDS} order form fields.", "orderFormFields")
    seen: set[str] = set()
    for position, field in enumerate(fields[:MAX_FORM_FIELDS]):
        where = f"orderFormFields.{position}"
        yield from name_problems(field.name, f"{where}.name")
        yield from _label_problems(field.label or "", f"{where}.label")
        if field.type not in FORM_FIELD_TYPES:
            yield Problem("invalid_value", f"type must be one of {', '.join(FORM_FIELD_TYPES)}.", f"{where}.type")
        if field.name in seen:
            yield Problem("duplicate_field", f"The field {field.name!r} is given twice.", f"{where}.name")
        seen.add(field.name)


def _label_problems(label: str, field: str) -> Iterator[Problem]:
    if len(label) > MAX_LABEL_CHARS:
        yield too_long(field, MAX_LABEL_CHARS)
    if _CONTROL.search(label):
        yield Problem("invalid_text", "A label holds no control characters.", field)
