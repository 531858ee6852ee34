"""Identifiers. An event's id is a UUIDv7-shaped UUID whose last 12 bits name its partition."""

from __future__ import annotations

import hashlib
import os
import random
import re
import uuid
from functools import lru_cache

PARTITION_BITS = 12
MAX_PARTITIONS = 1 << PARTITION_BITS

_EVENT_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def new_event_id(now_ms: int, partition: int) -> str:
    """A fresh id: 48 bits of ``now_ms`` (RFC 9562 §5.7), 62 random bits, 12 bits of partition.

    Unique, not secret: knowing an id opens nothing.
    """
    time, noise = f"{now_ms & 0xFFFF_FFFF_FFFF:012x}", random.getrandbits(62)
    first, second, third = noise & 0xFFF, 0x8000 | noise >> 12 & 0x3FFF, noise >> 26
    return f"{time[:8]}-{time[8:]}-7{first:03x}-{second:04x}-{third:09x}{partition:03x}"


def partition_of_event(event_id: str, partitions: int) -> int | None:
    """The partition that an id names, or None when it is not one of ours."""
    if not _EVENT_ID.fullmatch(event_id):
        return None
    partition = int(event_id[-3:], 16)
    return partition if partition < partitions else None


@lru_cache(maxsize=65_536)
def partition_of_lane(integration_id: str, partitions: int) -> int:
    """The partition that holds every lane and key of one integration: stable, spread evenly."""
    return int.from_bytes(hashlib.blake2b(integration_id.encode(), digest_size=8).digest()) % partitions


def new_uuid() -> str:
    """A random UUID (version 4) for integrations, pings and jobs."""
    return str(uuid.uuid4())


def new_hex24() -> str:
    """24 hexadecimal digits, the form of connector and installation ids."""
    return os.urandom(12).hex()
