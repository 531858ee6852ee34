"""Rules of payloads that are accepted. They ignore unknown fields and change nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dispatcher.errors import Problem
from dispatcher.model.event_type import NOTICE_TYPES, EventType

ACCOUNT_STATUSES: frozenset[str] = frozenset(
    {"INITIALIZED", "FAILED", "FREE_TRIAL", "FREE_TRIAL_EXPIRED", "ACTIVE", "SUSPENDED", "CANCELLED"}
)
PRICING_DURATIONS: frozenset[str] = frozenset(
    {"ONE_TIME", "DAILY", "MONTHLY", "QUARTERLY", "SIX_MONTHS", "YEARLY", "TWO_YEARS", "THREE_YEARS"}
)

OBJECTS: frozenset[str] = frozenset({"user", "company", "account", "addonInstance", "addonBinding", "order", "notice"})
"""Parts that are objects or null. ``configuration`` may also be an empty list, as older marketplaces send it."""

ENUMERATED: tuple[tuple[str, str, frozenset[str]], ...] = (
    ("account", "status", ACCOUNT_STATUSES),
    ("order", "pricingDuration", PRICING_DURATIONS),
)
"""Part, field, and the values that it may have when it is there."""


def validate_payload(kind: EventType, payload: Mapping[str, Any] | None) -> list[Problem]:
    """Every problem, with its field as a dotted path (``payload.notice.type``); empty = acceptable."""
    if not payload:
        return []
    return [*_shapes(payload), *_enumerated(payload), *_notice(kind, payload)]


def _shapes(payload: Mapping[str, Any]) -> list[Problem]:
    problems = [
        Problem("wrong_type", f"{name} is an object or null", f"payload.{name}")
        for name, value in payload.items()
        if value is not None and not isinstance(value, dict) and name in OBJECTS
    ]
    configuration = payload.get("configuration")
    if configuration != [] and not _is_object_or_null(configuration):
        problems.append(Problem("wrong_type", "configuration is an object", "payload.configuration"))
    order = payload.get("order")
    items = order.get("items") if isinstance(order, dict) else None
    if not isinstance(items, list) and not _is_object_or_null(items):
        problems.append(Problem("wrong_type", "items is a list of objects", "payload.order.items"))
    return problems


def _enumerated(payload: Mapping[str, Any]) -> Iterator[Problem]:
    for part, name, values in ENUMERATED:
        holder = payload.get(part)
        value = holder.get(name) if isinstance(holder, dict) else None
        if value is not None and not _is_one_of(value, values):
            yield Problem("invalid_value", f"{name} is one of {_listed(values)}", f"payload.{part}.{name}")


def _notice(kind: EventType, payload: Mapping[str, Any]) -> Sequence[Problem]:
    """A notice that is given needs a type; an event without one says only that there is something to look at."""
    notice = payload.get("notice")
    value = notice.get("type") if isinstance(notice, dict) else None
    if value is None and (not notice or kind is not EventType.SUBSCRIPTION_NOTICE):
        return ()
    if _is_one_of(value, NOTICE_TYPES):
        return ()
    code = "missing_field" if value is None else "invalid_value"
    return [Problem(code, f"notice.type is one of {_listed(NOTICE_TYPES)}", "payload.notice.type")]


def _is_object_or_null(value: object) -> bool:
    return value is None or isinstance(value, dict)


def _is_one_of(value: object, values: frozenset[str]) -> bool:
    return isinstance(value, str) and value in values


def _listed(values: frozenset[str]) -> str:
    return ", ".join(sorted(values))
