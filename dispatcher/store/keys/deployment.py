"""Keys of the whole deployment: what all processes know of one another, bulk jobs, tokens, limits.

Bulk jobs share the hash tag ``{all}``, since several of their keys change in one step.
"""

from __future__ import annotations

import hashlib

from dispatcher.store.keys.forms import with_id

ARCHIVE = "dispatcher:archive"
"""string: id of the storage that has this store's history. For ever. Written by a worker, at the first."""
ARCHIVE_TROUBLE = "dispatcher:archive:trouble"
"""string: what kept a worker from archiving, newline, its id. Until 15 min later, or it could. Written by workers."""
EXEMPLARS = "dispatcher:exemplars"
"""hash: counter of a histogram's bucket → its last traced observation. For ever. Written by workers."""
fleet_history = with_id("dispatcher:{fleet}:")
"""hash: slot → ``round:figure,figure,…`` of a span. For ever. Written by ``add``."""
SET_ASIDE = "dispatcher:set-aside"
"""hash: source of events → JSON of ``SetAside``. Until nothing of it is set aside. Written by ``dispatcher intake``."""
META = "dispatcher:meta"
"""hash: partitions, schema; checked at every start. For ever. Written at the first."""
WORKERS = "dispatcher:workers"
"""zset: worker id, score = last heartbeat in ms. Until a minute after it. Written by ``beat``."""
VERDICT = "dispatcher:verdict"
"""hash: said (JSON of ``Verdict``), at (ms), by (who judges), until (ms). For ever. Written by ``say``."""
KNOWN_PROBLEMS = "dispatcher:verdict:known"
"""hash: id of a problem → JSON, who acknowledged it and when. Until the problem has ended. Written by the API."""
EMITS = "dispatcher:emits"
"""hash: API process → JSON, emits of its last minute and when it said so. Until an hour later. Written by the API."""
KEYLESS_WORKERS = "dispatcher:keyless"
"""zset: worker that lacks the newest key, score = ms when it said so. Until a minute later. Written by workers."""
LOSSES = "dispatcher:losses"
"""hash: ms of the last sign that survived → JSON of ``Loss``. Until 7 days after the last. Written by all."""
NEVER_THERE = "dispatcher:never"
"""none: deleted to learn whether writes are taken. Never there. Written by nobody."""
JOBS = "dispatcher:jobs"
"""zset: arq's queue of partitions, whose other keys begin with ``arq:``. Until a job ends. Written by workers."""
ERRANDS = "dispatcher:errands"
"""zset: arq's queue of ping tests and credentials to try. Until a job ends. Written by workers and the API."""
REDELIVERIES = "redelivery:{all}:running"
"""set: ids of bulk jobs that are RUNNING. Until it is empty. Written by the API."""
REDELIVERY_LIST = "redelivery:{all}:list"
"""zset: ids of bulk jobs, score = when they began in ms. Until 30 days later. Written by the API."""
worker_info = with_id("dispatcher:worker:")
"""string: JSON of host, pid, partitions, in flight. Until a minute after the last heartbeat. Written by workers."""


def idempotency(client_id: str, key: str) -> str:
    """string: event id and body hash. Until 24 hours later. Written by the API, before the event."""
    return "idem:" + hashlib.sha256(f"{client_id}\n{key}".encode()).hexdigest()[:40]


def rate_limit(bucket: str) -> str:
    """hash: left (tokens), at (ms). Until it is full again. Written by ``take_tokens``."""
    return "limit:" + hashlib.sha256(bucket.encode()).hexdigest()[:32]


redelivery = with_id("redelivery:{all}:job:")
"""hash: state, times, counts, action, rate, condition and filter (JSON). Until 7 days later. Written by the API."""


def redelivery_ids(job_id: str) -> str:
    """list: ids of events that were found, newest first. Until each is handled. Written by the API."""
    return f"redelivery:{{all}}:ids:{job_id}"


def redelivery_items(job_id: str) -> str:
    """list: id, outcome and code of each event handled, 100,000 at most. Until 7 days later. Written by the API."""
    return f"redelivery:{{all}}:items:{job_id}"


def redelivery_run(job_id: str) -> str:
    """string: the process that works on it. Until 15 s after it was renewed. Written by the API."""
    return f"redelivery:{{all}}:run:{job_id}"


revoked = with_id("revoked:")
"""string: 1, this access token (or the assertion of that hash, which was used) is refused. Until it would have ended.
Written by the API."""
token = with_id("token:")
"""string: sealed access token of one credential set. Until the token ends. Written by workers."""
token_lock = with_id("token-lock:")
"""string: who fetches this token now. Until 10 s later. Written by workers."""
