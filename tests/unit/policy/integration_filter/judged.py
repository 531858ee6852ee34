"""A filter's judgement on an event. Holds no test."""

from __future__ import annotations

from typing import Any

from dispatcher.model.event import Event
from dispatcher.model.event_type import EventType
from dispatcher.policy.integration_filter.filter import (
    Judgement,
    compile_filter,
)

PAYLOAD: dict[str, Any] = {
    "order": {"editionCode": "PRO", "items": [{"unit": "USER", "quantity": 5}, {"unit": "GB", "quantity": 20}]},
    "company": None,
    "trial": False,
    "tags": ["new", None, "eu"],
    "none": [],
    "started": "2026-03-01",
    "one": 1,
}


def event(kind: EventType = EventType.SUBSCRIPTION_ORDER, **fields: Any) -> Event:
    given = {"product_id": "P", "account_id": "A", "payload": PAYLOAD} | fields
    return Event("id", kind, "integration", 1, **given)


def judged(document: Any, about: Event | None = None) -> Judgement:
    return compile_filter(document).judge(about or event())
