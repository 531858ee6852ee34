"""Counts the queue: partitions, lanes, workers, counters. Reads only."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from dispatcher.model.queue import WORKER_ALIVE_MS, WORKER_FORGOTTEN_MS, LaneView, QueueOverview, WorkerView
from dispatcher.store.keys import deployment as deployment_keys
from dispatcher.store.keys import queue as queue_keys
from dispatcher.store.queue.records import lane_views, partition_view, text
from dispatcher.store.redis.scripts import Client, each, each_command, script

_OVERVIEW = script("queue/overview")
_NOTHING: list[Any] = [0, b"", 0, 0, 0, 0, 0, 0]
"""Of a partition that cannot be read now."""


async def overview(client: Client, partitions: Sequence[int], lanes_limit: int) -> QueueOverview:
    calls = [_OVERVIEW.call([queue_keys.own(p)]) for p in partitions]
    replies = [_NOTHING if isinstance(reply, Exception) else reply for reply in await each(client, calls)]
    now_ms = max(int(reply[0]) for reply in replies)
    lanes: list[LaneView] = []
    views = []
    for partition, reply in zip(partitions, replies, strict=True):
        mine = lane_views(partition, reply)
        lanes += mine
        views.append(partition_view(partition, reply, mine))
    seen = await workers(client, now_ms - WORKER_FORGOTTEN_MS)
    alive_since_ms = now_ms - WORKER_ALIVE_MS
    lanes.sort(key=lambda lane: (-(lane.ready + lane.waiting + lane.scheduled + lane.parked), lane.integration_id))
    return QueueOverview(
        now_ms=now_ms,
        ready=sum(view.ready for view in views),
        waiting=sum(view.waiting for view in views),
        scheduled=sum(view.scheduled for view in views),
        in_flight=sum(view.in_flight for view in views),
        awaiting=sum(view.awaiting for view in views),
        dead_letters=sum(int(reply[7]) for reply in replies),
        oldest_ready_s=_oldest_s(lanes, now_ms, paused=False),
        circuits_open=sum(1 for lane in lanes if (lane.circuit_open_until_ms or 0) > now_ms),
        partitions=views,
        lanes=lanes[:lanes_limit],
        workers=[worker for worker in seen if worker.last_seen_ms >= alive_since_ms],
        silent_workers=[worker for worker in seen if worker.last_seen_ms < alive_since_ms],
        oldest_paused_s=_oldest_s(lanes, now_ms, paused=True),
    )


async def lanes(client: Client, wanted: Mapping[int, Sequence[str]]) -> list[LaneView]:
    """Waiting work of integrations, by their partitions; without those that have none and that nothing holds back."""
    replies = await each(client, [_OVERVIEW.call([queue_keys.own(p)], *ids) for p, ids in wanted.items()])
    views: list[LaneView] = []
    for partition, reply in zip(wanted, replies, strict=True):
        if isinstance(reply, Exception):
            raise reply
        views += lane_views(partition, reply)
    return views


def _oldest_s(lanes: Sequence[LaneView], now_ms: int, *, paused: bool) -> float:
    """The time that the oldest due event of these lanes has been due; 0 = there is none."""
    since = (lane.oldest_ready_ms for lane in lanes if lane.paused is paused and lane.oldest_ready_ms is not None)
    return max(0, now_ms - min(since, default=now_ms)) / 1000


async def workers(client: Client, since_ms: int) -> list[WorkerView]:
    """Workers that were heard of since then, and did not stop in order. Two round trips, however many there are."""
    beats: Any = await client.zrangebyscore(deployment_keys.WORKERS, since_ms, "+inf", withscores=True)
    names = [deployment_keys.worker_info(text(worker_id)) for worker_id, _ in beats]
    infos = await each_command(client, [("GET", name) for name in names]) if names else []
    return [
        _worker_view(text(worker_id), int(beat), info if isinstance(info, bytes) else None)
        for (worker_id, beat), info in zip(beats, infos, strict=True)
    ]


def _worker_view(worker_id: str, last_seen_ms: int, stored: bytes | None) -> WorkerView:
    info = orjson.loads(stored or b"{}")
    return WorkerView(
        worker_id=worker_id,
        last_seen_ms=last_seen_ms,
        host=str(info.get("host", "")),
        pid=int(info.get("pid", 0)),
        partitions=tuple(info.get("partitions", ())),
        in_flight=int(info.get("inFlight", 0)),
    )


async def counters(client: Client, partitions: Sequence[int]) -> dict[str, int]:
    pipeline: Any = client.pipeline(transaction=False)
    for partition in partitions:
        pipeline.hgetall(queue_keys.counters(partition))
    total: Counter[str] = Counter()
    for counts in await pipeline.execute():
        total.update({text(name): int(value) for name, value in counts.items()})
    return dict(total)
