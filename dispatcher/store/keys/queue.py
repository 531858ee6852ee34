"""Keys of partitions, and the channel that wakes a partition's owner.

A partition's keys share the hash tag ``{pN}``, so each script runs on one slot of a cluster. A lane is named by its
integration's id, a group (an account in a lane) by ``account``.
"""

from __future__ import annotations

from dispatcher.store.keys.forms import of_group, of_lane, of_partition, with_id

# Also spelled in lua/_queue.lua.
own = of_partition("own")
"""hash: gen, owner, until (lease, ms), granted (ms), asleep, room (what accepts may give to the sleeping owner), given.

For ever. Written by workers, and by accepts that give to or wake a sleeping owner."""


def event(partition: int, event_id: str) -> str:
    """hash: doc (plain or packed; ``expunge`` alone changes it), state, aN (attempt N). Until its retention ends.
    Written by all."""
    return f"{{p{partition}}}:e:{event_id}"


group = of_group("k")
"""list: ids not terminal, head first. Until it is empty. Written by all."""
group_facts = of_group("g")
"""hash: seq (last sequence), ident (accountIdentifier), i:INSTALLATION (its own). For ever. Written by all."""
lock = of_group("lock")
"""hash: who holds the group's events → number of its word, negative = not. Until 1 h after. Written by ``lock``."""
due = of_lane("d")
"""zset: due heads of a lane, score = due ms. Until it is empty. Written by all."""
lane = of_lane("l")
"""hash: busy, cap, behind, off, left, half, rate, tat, locks; paused, circuit, opened, slow, crowded, failing,
disabled (ms). For ever. Written by all."""
trouble = of_lane("t")
"""hash: since (ms), run, same, o, h, w: failures in a row, the last one; aM, fM: attempts, failures of minute M.
Until the lane is well again. Written by ``settle``."""
suspended_urls = of_lane("off")
"""hash: URL suspended by a 410 → since ms. Until it is enabled. Written by ``hold``."""
left_urls = of_lane("left")
"""hash: URL that answered 410 and is published no more → since ms. Until the lane is empty. Written by ``hold``."""
half_open_urls = of_lane("half")
"""hash: URL enabled after a 410 that has not answered since → enabled ms. Until it answers, or the lane is empty.
Written by ``hold``."""
parked = of_lane("park")
"""zset: ids whose URL is suspended, score = since ms. Until it is enabled. Written by ``settle``."""
lanes = of_partition("lanes")
"""zset: lanes with something due, score = earliest ms, inf = full or paused. Until nothing is. Written by all."""
known_lanes = of_partition("known")
"""set: lanes that have events, or are held. Until ``repair_lanes`` finds nothing in one. Written by all."""
troubled = of_partition("troubled")
"""set: lanes that something may be the matter with. Until they are well again. Written by all."""
issues = of_partition("issues")
"""hash: lane LF error code LF error → ``count first last acknowledged`` (ms). Until all of it is redelivered, or old.
Written by all."""
flight = of_partition("flight")
"""hash: claimed id → attempt number, with a mark behind it where it is one of a run. Until it is settled. Written by
``claim``."""
parted = of_partition("parted")
"""hash: claimed id → generation and attempt number of a worker that let go of the partition and goes on with it;
``until:`` generation → ms. Until it has ended. Written by ``part``."""
awaiting = of_partition("wait")
"""zset: ids whose result is awaited, score = deadline ms. Until it is there. Written by ``settle``."""
open_events = of_partition("open")
"""set: every id that is not terminal. Until it is. Written by all."""
dead = of_partition("dead")
"""zset: ids DEAD, score = since ms. Until the retention time is over. Written by workers."""
failed = of_partition("failed")
"""zset: ids FAILED, score = since ms. Until the retention time is over. Written by all."""
expired = of_partition("expired")
"""zset: ids EXPIRED, score = since ms. Until the retention time is over. Written by all."""
event_log = of_partition("log")
"""stream: one entry per event, its id. Until the retention time is over. Written by ``accept``."""
feed = of_partition("feed")
"""stream: status changes, one field of lines each. Until 1,000 came later. Written by all."""
counters = of_partition("counts")
"""hash: counters since the store was made. For ever. Written by all."""


# Not spelled in Lua.
marks = of_partition("marks")
"""zset: process → its last sign of life in ms. Until it is a day old. Written by ``mark``."""
sampled = of_partition("sampled")
"""string: figures of the counters at the last sample. For ever. Written by the owner, each second."""
charted = of_partition("charted")
"""zset: lanes with a history, score = s of its newest span. Until 90 days later. Written by the owner."""

segments = of_partition("segments")
"""hash: segment of the archive → JSON of ``Entry``. Until its last event's retention ends. Written by ``move``,
``exchange`` and ``forget``."""


def lane_history(partition: int, lane_id: str, resolution: str, piece: int) -> str:
    """hash: slot → packed figures of a span. Until as long later as its ring is. Written by the owner."""
    return f"{{p{partition}}}:hist:{resolution[0]}{piece}:{lane_id}"


def waited(own_key: str) -> str:
    """string: 1, a write to wait for when replicas must follow. For ever. Written by accepting, beside ``own``."""
    return own_key.removesuffix("own") + "waited"


def never(own_key: str) -> str:
    """none: declared by the queue's scripts, so that none runs while its slot moves. Never there. Written by nobody."""
    return own_key.removesuffix("own") + "never"


nudge_channel = with_id("dispatcher:nudge:")
"""channel: the number of a partition that has new work while this worker, its owner, sleeps."""
