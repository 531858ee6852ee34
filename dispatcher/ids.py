"""Identifiers. An event's id is a UUIDv7-shaped UUID whose last 12 bits name its partition."""

from __future__ import annotations

import hashlib
import os
import random
import re
import uuid
from functools import lru_cache
from itertools import count

PARTITION_BITS = 12
MAX_PARTITIONS = 1 << PARTITION_BITS

_ORDINALS = count(random.getrandbits(23))
"""Keep ids of one process and second in the order in which they were made."""

_EVENT_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def new_event_id(now_ms: int, partition: int) -> str:
    """A fresh id: 48 bits of ``now_ms`` (RFC 9562 §5.7), 62 random bits, 12 bits of partition.

    Unique, not secret: knowing an id opens nothing.
    """
    return _event_id(now_ms, partition, random.getrandbits(62))


def derived_event_id(created_ms: int, partition: int, seed: str) -> str:
    """The id that always follows from these: as ``new_event_id``, with 62 bits of the seed's SHA-256."""
    digest = hashlib.sha256(seed.encode()).digest()
    return _event_id(created_ms, partition, int.from_bytes(digest[:8]) >> 2)


_FORM = "%08x-%04x-7%03x-%04x-%09x%03x"


def _event_id(ms: int, partition: int, noise: int) -> str:
    time = ms & 0xFFFF_FFFF_FFFF
    first, second, third = noise & 0xFFF, 0x8000 | noise >> 12 & 0x3FFF, noise >> 26
    return _FORM % (time >> 16, time & 0xFFFF, first, second, third, partition)


def event_ms(event_id: str) -> int:
    """The time in an event's id, in ms since 1970."""
    return int(event_id[:8] + event_id[9:13], 16)


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
    """24 random hexadecimal digits, the form of connector ids."""
    return os.urandom(12).hex()


def new_installation_id(now_ms: int) -> str:
    """24 hexadecimal digits that sort by age: seconds since 1970, an ordinal of this process, 40 random bits."""
    return f"{now_ms // 1000 & 0xFFFF_FFFF:08x}{next(_ORDINALS) & 0xFF_FFFF:06x}{random.getrandbits(40):010x}"


def derived_installation_id(created_ms: int, seed: str) -> str:
    """The installation id that always follows from these."""
    return f"{created_ms // 1000 & 0xFFFF_FFFF:08x}{hashlib.sha256(seed.encode()).hexdigest()[:16]}"
