"""The second peer: one arq job per event, as arq's own documentation would have it, tuned for throughput.

Each job loads its event from Redis, signs, POSTs and records how it ended. No order, no lanes, no retries.
``python -m bench.peers.arq_peer REDIS_URL SINK_URL MAX_JOBS``.
"""

from __future__ import annotations

import sys
from typing import Any

import uvloop
from arq.connections import ArqRedis
from arq.constants import job_key_prefix
from arq.jobs import serialize_job
from arq.worker import Worker, func
from redis.asyncio import Redis

from bench.peers.bare_posts import notification, session, signed_headers
from bench.rig.traffic import SECRET, events
from dispatcher.cli.processes.startup import collect_rarely
from dispatcher.model.event import Event
from dispatcher.policy.notification.signing import parse_secret
from dispatcher.store.jobs import deserialize, serialize
from dispatcher.store.queue.events import QueueStore
from dispatcher.store.redis.connection import connection_pool

QUEUE = "bench:jobs"
FUNCTION = "deliver"
EVENT = "bench:event:"
KEEP_MS = 86_400_000
POLL_S = 0.01
HELD_S = 600.0
"""Longer than the other peers' rounds, during which this process is held still in the middle of a read."""


async def enqueue(redis: Redis, queue: QueueStore, count: int, integrations: int) -> None:
    """Write as ``ArqRedis.enqueue_job`` does for each event, many events at a time."""
    pipeline = redis.pipeline(transaction=False)
    for position, event in enumerate(events(queue, count, integrations, integrations * 100)):
        pipeline.hset(EVENT + event.id, mapping={"doc": event.stored(), "status": "QUEUED"})
        content = serialize_job(FUNCTION, (event.id,), {}, None, 1, serializer=serialize)
        pipeline.psetex(job_key_prefix + event.id, KEEP_MS, content)
        pipeline.zadd(QUEUE, {event.id: position + 1})
        if position % 1000 == 999:
            await pipeline.execute()
    await pipeline.execute()


async def main(redis_url: str, sink_url: str, max_jobs: int) -> None:
    keys = [parse_secret(SECRET)]
    pool = connection_pool(redis_url, max_connections=max_jobs)
    pool.connection_kwargs["socket_timeout"] = HELD_S
    redis = ArqRedis(pool)
    async with session() as http:

        async def deliver(_: dict[Any, Any], event_id: str) -> None:
            record: dict[bytes, bytes] = await redis.hgetall(EVENT + event_id)  # type: ignore[misc]
            event = Event.from_stored(event_id, record[b"doc"])
            body = notification(event)
            async with http.post(sink_url, data=body, headers=signed_headers(event, body, keys)) as answer:
                await answer.read()
                outcome = {"status": "SUCCEEDED", "http": answer.status}
            await redis.hset(EVENT + event_id, mapping=outcome)  # type: ignore[misc]

        worker = Worker(
            functions=[func(deliver, name=FUNCTION, keep_result=0)],  # type: ignore[arg-type]
            redis_pool=redis,
            queue_name=QUEUE,
            max_jobs=max_jobs,
            poll_delay=POLL_S,
            keep_result=0,
            log_results=False,
            job_serializer=serialize,
            job_deserializer=deserialize,
        )
        print("peer started", flush=True)
        await worker.async_run()


if __name__ == "__main__":
    collect_rarely()
    uvloop.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
