"""A partition's lease as somebody saw it."""

from __future__ import annotations

from typing import NamedTuple


class Lease(NamedTuple):
    """``until_ms`` by the store's clock. Two of a partition are equal when nothing was renewed between them."""

    partition: int
    generation: int
    owner: str
    until_ms: int
