"""Events as a store accepts them, for tests that put them there by hand. Holds no test."""

from __future__ import annotations

from typing import Any

from dispatcher.ids import new_event_id, partition_of_lane
from dispatcher.model.event import Event
from dispatcher.model.event_type import EventType


def event_of(
    lane: str,
    partitions: int,
    account: str | None = "A",
    kind: EventType = EventType.SUBSCRIPTION_CHANGE,
    revision: int = 1,
    **more: Any,
) -> Event:
    """A new event of one integration, in the partition that is its own."""
    event_id = new_event_id(1, partition_of_lane(lane, partitions))
    known = {"product_id": "P", "account_id": account, "payload": {"x": 1}}
    return Event(event_id, kind, lane, revision, **(known | more))
