"""Scalars that GraphQL has no name for."""

from __future__ import annotations

from typing import NewType

import strawberry
from strawberry.types.scalar import ScalarDefinition

EpochMs = NewType("EpochMs", int)
"""Milliseconds since the epoch, which GraphQL's 32-bit ``Int`` cannot hold."""

SCALARS: dict[object, ScalarDefinition] = {
    EpochMs: strawberry.scalar(
        name="Long", description="A whole number of up to 53 bits.", serialize=int, parse_value=int
    ),
}
