"""Forms of keys: of a partition, of a lane or group in it, or a name with an id behind it."""

from __future__ import annotations

from collections.abc import Callable


def of_partition(name: str) -> Callable[[int], str]:
    return lambda partition: f"{{p{partition}}}:{name}"


def of_lane(name: str) -> Callable[[int, str], str]:
    return lambda partition, lane: f"{{p{partition}}}:{name}:{lane}"


def of_group(name: str) -> Callable[[int, str, str], str]:
    return lambda partition, lane, account: f"{{p{partition}}}:{name}:{lane}:{account}"


def with_id(name: str) -> Callable[[str | int], str]:
    return lambda any_id: f"{name}{any_id}"
