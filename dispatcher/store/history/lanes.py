"""History of each integration with traffic: minutes, hours and days, packed, in hashes that Redis keeps in one piece.

Written whole by the one worker that delivers it. All together stays within a setting: the coldest minutes go first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dispatcher.policy.figures.history import LANE, Resolution, Window
from dispatcher.policy.figures.tallies import LaneKey
from dispatcher.policy.figures.tally import Figures
from dispatcher.policy.figures.tally_packing import pack, unpack
from dispatcher.store.keys import queue as keys
from dispatcher.store.redis.connection import guarded
from dispatcher.store.redis.scripts import Argument, Call, Client, each_of, run, script

_WRITE = script("history/write")

SLOT_BYTES = 66
"""Of Redis: what is packed, its field, their lengths, a share of the key; of 268 million of a kind in one span."""
LANE_BYTES = SLOT_BYTES * sum(resolution.slots for resolution in LANE)
"""Of an integration whose rings are full."""
IN_ONE_PIECE = 120
"""Slots of a hash at most: up to 128 fields of at most 64 bytes Redis keeps as a list without pointers."""
READ_AT_ONCE = 100
"""Integrations of which one round trip reads histories."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One span of one integration, as it is to be kept now. ``fresh``: the first that is written of it."""

    lane: LaneKey
    resolution: Resolution
    span: int
    figures: Figures
    fresh: bool


class LaneHistory:
    """Raises ``StoreUnavailable`` when Redis did not answer, or has no room."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def write(self, slots: Sequence[Slot]) -> None:
        """Each slot as it is now; one round trip."""
        by_partition: dict[int, list[Slot]] = {}
        for slot in slots:
            by_partition.setdefault(slot.lane[0], []).append(slot)
        await run(self._client, [_write(partition, some) for partition, some in by_partition.items()])

    async def read_slots(self, wanted: Sequence[tuple[LaneKey, Resolution, int]]) -> list[Figures | None]:
        """Figures of single spans, None where nothing is kept; one round trip."""
        pipeline: Any = self._client.pipeline(transaction=False)
        for lane, resolution, span in wanted:
            place = resolution.place(span)[1]
            pipeline.hget(_ring(lane, resolution, place), place)
        replies = await each_of(pipeline)
        return [
            _figures(reply, resolution.place(span)[0])
            for (_, resolution, span), reply in zip(wanted, replies, strict=True)
        ]

    async def read(self, lanes: Sequence[LaneKey], seen: Window) -> dict[LaneKey, list[tuple[int, Figures]]]:
        """Spans within a window that have figures, by integration. One round trip for every hundred."""
        found: dict[LaneKey, list[tuple[int, Figures]]] = {lane: [] for lane in lanes}
        for at in range(0, len(lanes), READ_AT_ONCE):
            rings = [(lane, key) for lane in lanes[at : at + READ_AT_ONCE] for key in _rings(lane, seen.resolution)]
            pipeline: Any = self._client.pipeline(transaction=False)
            for _, key in rings:
                pipeline.hgetall(key)
            for (lane, _), ring in zip(rings, await _answered(pipeline), strict=True):
                found[lane] += _spans(ring, seen)
        return found

    async def active(self, partitions: Iterable[int], since_ms: int) -> list[LaneKey]:
        """Integrations that had an attempt since then, those with the newest first."""
        numbers = list(partitions)
        pipeline: Any = self._client.pipeline(transaction=False)
        for partition in numbers:
            pipeline.zrangebyscore(keys.charted(partition), since_ms // 1000, "+inf", withscores=True)
        replies = await _answered(pipeline)
        found = [
            (newest_s, partition, lane.decode())
            for partition, lanes in zip(numbers, replies, strict=True)
            for lane, newest_s in lanes
        ]
        return [(partition, lane) for _, partition, lane in sorted(found, reverse=True)]

    async def trim(self, partition: int, most_bytes: int, now_ms: int) -> int:
        """Let go of what is coldest until the rest is within ``most_bytes``; returns how many rings went."""
        charted = keys.charted(partition)
        with guarded():
            await self._client.zremrangebyscore(charted, "-inf", now_ms // 1000 - LANE[-1].kept_s)
            lanes = [lane.decode() for lane in await self._client.zrange(charted, 0, -1)]
        if len(lanes) * LANE_BYTES <= most_bytes:
            return 0
        return await self._let_go(partition, lanes, most_bytes)

    async def _let_go(self, partition: int, coldest_first: Sequence[str], most_bytes: int) -> int:
        rings = [key for one in LANE for lane in coldest_first for key in _rings((partition, lane), one)]
        sizes = await self._sizes(rings)
        too_much, gone = sum(sizes.values()) - most_bytes, []
        for key in rings:
            if too_much <= 0:
                break
            if sizes[key]:
                too_much -= sizes[key]
                gone.append(key)
        with guarded():
            for at in range(0, len(gone), READ_AT_ONCE):
                await self._client.delete(*gone[at : at + READ_AT_ONCE])
        return len(gone)

    async def _sizes(self, rings: Sequence[str]) -> Mapping[str, int]:
        sizes: dict[str, int] = {}
        for at in range(0, len(rings), 1000):
            some = rings[at : at + 1000]
            pipeline: Any = self._client.pipeline(transaction=False)
            for key in some:
                pipeline.hlen(key)
            sizes |= {key: int(n) * SLOT_BYTES for key, n in zip(some, await _answered(pipeline), strict=True)}
        return sizes


def _write(partition: int, slots: Sequence[Slot]) -> Call:
    rings = [keys.charted(partition)]
    spans: list[Argument] = []
    newest: list[Argument] = []
    for slot in slots:
        turn, place = slot.resolution.place(slot.span)
        rings.append(_ring(slot.lane, slot.resolution, place))
        spans += [place, pack(turn, slot.figures), slot.resolution.kept_s if slot.fresh else 0]
        if slot.fresh and slot.resolution is LANE[0]:
            newest += [slot.span * slot.resolution.seconds, slot.lane[1]]
    return _WRITE.call(rings, len(newest) // 2, *newest, *spans)


async def _answered(pipeline: Any) -> list[Any]:
    """Replies of which none may be an error."""
    replies = await each_of(pipeline)
    for reply in replies:
        if isinstance(reply, Exception):
            raise reply
    return replies


def _ring(lane: LaneKey, resolution: Resolution, place: int) -> str:
    return keys.lane_history(*lane, resolution.name, place // IN_ONE_PIECE)


def _rings(lane: LaneKey, resolution: Resolution) -> list[str]:
    return [_ring(lane, resolution, place) for place in range(0, resolution.slots, IN_ONE_PIECE)]


def _figures(packed: object, turn: int) -> Figures | None:
    found = unpack(packed) if isinstance(packed, bytes) else None
    return found[1] if found and found[0] == turn else None


def _spans(ring: dict[bytes, bytes], seen: Window) -> list[tuple[int, Figures]]:
    first, end = seen.resolution.span_at(seen.from_ms), seen.resolution.span_at(seen.to_ms)
    spans = []
    for place, packed in ring.items():
        found = unpack(packed)
        if found and first <= (span := seen.resolution.span_of(found[0], int(place))) < end:
            spans.append((span, found[1]))
    return spans
