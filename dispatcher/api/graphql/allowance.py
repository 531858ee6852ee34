"""Bounds what one request may have read, in bytes: lists within lists, and the same list under many names, add up."""

from __future__ import annotations

from dataclasses import dataclass

from dispatcher.errors import InvalidRequest

MOST_BYTES = 4 << 20
"""Of what is stored; what is made of it is some ten times as large."""
VERSION_BYTES = 2048
"""Counted for one more view of what was read already."""
TEST_BYTES = 4096
"""Counted for a ping test."""
LOOK_BYTES = 512
"""Counted for a look at the queue."""


@dataclass(slots=True)
class Allowance:
    """One per request."""

    left: int = MOST_BYTES

    def spend(self, size: int) -> None:
        """Raises ``InvalidRequest`` when it is used up."""
        self.left -= size
        if self.left < 0:
            text = f"The query reads more than {MOST_BYTES >> 20} MiB: ask for less at a time, with limit and last."
            raise InvalidRequest.of("query_too_large", text, "query")
