"""Every Redis key: its type, fields, lifetime and writer. Nothing else spells a key, but for one block of Lua.

That block is in ``lua/_queue.lua`` and has the same names. A test compares them, and finds every key in ``FAMILIES``:
what a user of Redis must be allowed. A partition's keys share the hash tag ``{pN}``, so each script runs on one slot of
a cluster. Definitions, clients, installations and the audit log share ``{def}``: several of them and the audit entries
change in one step, as bulk redeliveries do, which share ``{all}``. A lane is named by its integration's id, a group (an
account in a lane) by ``account``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

FAMILIES = (
    "{p*}:*",
    "{def}:*",
    "dispatcher:*",
    "idem:*",
    "limit:*",
    "redelivery:*",
    "revoked:*",
    "token:*",
    "token-lock:*",
)
"""As patterns of an ACL rule: all keys of the store."""
JOB_FAMILIES = ("dispatcher:*", "arq:*")
"""All keys of the job queue, which may be on another Redis."""


def _of_partition(name: str) -> Callable[[int], str]:
    return lambda partition: f"{{p{partition}}}:{name}"


def _of_lane(name: str) -> Callable[[int, str], str]:
    return lambda partition, lane: f"{{p{partition}}}:{name}:{lane}"


def _of_group(name: str) -> Callable[[int, str, str], str]:
    return lambda partition, lane, account: f"{{p{partition}}}:{name}:{lane}:{account}"


def _with_id(name: str) -> Callable[[str | int], str]:
    return lambda any_id: f"{name}{any_id}"


# Partitions: also spelled in lua/_queue.lua.
own = _of_partition("own")
"""hash: gen, owner, until (lease, ms), granted (ms), asleep. For ever. Written by workers."""


def event(partition: int, event_id: str) -> str:
    """hash: doc (plain or packed; ``expunge`` alone changes it), state, aN (attempt N). Until its retention ends.
    Written by all."""
    return f"{{p{partition}}}:e:{event_id}"


group = _of_group("k")
"""list: ids not terminal, head first. Until it is empty. Written by all."""
group_facts = _of_group("g")
"""hash: seq (last sequence), ident (accountIdentifier), i:INSTALLATION (its own). For ever. Written by all."""
lock = _of_group("lock")
"""hash: who holds the group's events → number of its word, negative = not. Until 1 h after. Written by ``lock``."""
due = _of_lane("d")
"""zset: due heads of a lane, score = due ms. Until it is empty. Written by all."""
lane = _of_lane("l")
"""hash: busy, cap, behind, off, left, half, rate, tat, locks; paused, circuit, opened, slow, crowded, failing,
disabled (ms). For ever. Written by all."""
trouble = _of_lane("t")
"""hash: since (ms), run, same, o, h, w: failures in a row, the last one; aM, fM: attempts, failures of minute M.
Until the lane is well again. Written by ``settle``."""
suspended_urls = _of_lane("off")
"""hash: URL suspended by a 410 → since ms. Until it is enabled. Written by ``hold``."""
left_urls = _of_lane("left")
"""hash: URL that answered 410 and is published no more → since ms. Until the lane is empty. Written by ``hold``."""
half_open_urls = _of_lane("half")
"""hash: URL enabled after a 410 that has not answered since → enabled ms. Until it answers, or the lane is empty.
Written by ``hold``."""
parked = _of_lane("park")
"""zset: ids whose URL is suspended, score = since ms. Until it is enabled. Written by ``settle``."""
lanes = _of_partition("lanes")
"""zset: lanes with something due, score = earliest ms, inf = full or paused. Until nothing is. Written by all."""
known_lanes = _of_partition("known")
"""set: lanes that have events, or are held. Until ``repair_lanes`` finds nothing in one. Written by all."""
troubled = _of_partition("troubled")
"""set: lanes that something may be the matter with. Until they are well again. Written by all."""
issues = _of_partition("issues")
"""hash: lane LF error code LF error → ``count first last acknowledged`` (ms). Until all of it is redelivered, or old.
Written by all."""
flight = _of_partition("flight")
"""hash: claimed id → attempt number. Until it is settled. Written by ``claim``."""
awaiting = _of_partition("wait")
"""zset: ids whose result is awaited, score = deadline ms. Until it is there. Written by ``settle``."""
open_events = _of_partition("open")
"""set: every id that is not terminal. Until it is. Written by all."""
dead = _of_partition("dead")
"""zset: ids DEAD, score = since ms. Until the retention time is over. Written by workers."""
failed = _of_partition("failed")
"""zset: ids FAILED, score = since ms. Until the retention time is over. Written by all."""
expired = _of_partition("expired")
"""zset: ids EXPIRED, score = since ms. Until the retention time is over. Written by all."""
event_log = _of_partition("log")
"""stream: one entry per event, its id. Until the retention time is over. Written by ``accept``."""
feed = _of_partition("feed")
"""stream: status changes, one field of lines each. Until 1,000 came later. Written by all."""
counters = _of_partition("counts")
"""hash: counters since the store was made. For ever. Written by all."""


# Partitions: not spelled in Lua.
marks = _of_partition("marks")
"""zset: process → its last sign of life in ms. Until it is a day old. Written by ``mark``."""
sampled = _of_partition("sampled")
"""string: figures of the counters at the last sample. For ever. Written by the owner, each second."""
charted = _of_partition("charted")
"""zset: lanes with a history, score = s of its newest span. Until 90 days later. Written by the owner."""

segments = _of_partition("segments")
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


# Definitions, clients, audit log.

DEF_COUNTER = "{def}:appMarketId"
"""string: last appMarketId given. For ever. Written by the API."""
DEF_INTEGRATIONS = "{def}:integrations"
"""zset: integration id, score = created ms. Until it is deleted. Written by the API."""
DEF_ALIASES = "{def}:aliases"
"""hash: appMarketId or connectorId → integration id. Until it is deleted. Written by the API."""
DEF_INBOUND = "{def}:inbound"
"""hash: inbound client id → integration id. Until it is deleted. Written by the API."""
DEF_VENDORS = "{def}:vendors"
"""zset: ``vendor LF created ms (15 digits) LF integration id``, scores 0. Until it is deleted. Written by the API."""
DEF_CLIENTS = "{def}:clients"
"""hash: API client id → JSON. For ever. Written by the API."""
CONSOLE_SESSIONS = "{def}:console-sessions"
"""hash: session id → JSON of ``SessionRecord``. Until it has ended. Written by the API."""
PINGS_DUE = "{def}:probes"
"""zset: integration id, score = ms when it is pinged by itself next. Until it has no interval. Written by all."""
ROTATIONS_DUE = "{def}:rotations"
"""zset: integration id, score = ms when its signing key is rotated. Until it has no schedule. Written by all."""
AUDIT_STREAM = "{def}:audit"
"""stream: ``e`` → an entry as JSON, ``p`` → its predecessor's place. Until one too many. Written by the API."""
AUDIT_HEAD = "{def}:audit:head"
"""string: ``n:hash`` of the newest entry. For ever. Written by the API."""
AUDIT_KEYS = (AUDIT_HEAD, AUDIT_STREAM)
"""In the order in which ``lua/_audit.lua`` has them."""
JWT_KEYS = "{def}:jwt-keys"
"""hash: ``current`` → sealed private key, older key ids → sealed key. For ever. Written by the API."""
PAUSED_TYPES = "{def}:paused-types"
"""hash: event type → JSON of its pause and since_ms. Until it is resumed. Written by the API."""
SEALED_STALE = "{def}:sealed:stale"
"""string: sealed values that still need an older key, as last counted. For ever. Written by a worker."""
SEALED_CHECK = "{def}:sealed:check"
"""string: JSON, a value sealed with the newest key in use, and the ids of all that were. For ever. Written by all."""
SEALED_TURN = "{def}:sealed:turn"
"""string: the worker that seals again what needs an older key. Until its turn is over. Written by a worker."""
definition = _with_id("{def}:i:")
"""string: JSON of ``Integration``. Until it is deleted. Written by the API and by reseal."""


def revision(integration_id: str, number: int) -> str:
    """string: JSON of ``Revision``, immutable but for its sealing. Until it is deleted; below 0, a copy of WORKING as
    of that moment, 30 days after its last use. Written by the API."""
    return f"{{def}}:r:{integration_id}:{number}"


pins = _with_id("{def}:pins:")
"""zset: numbers below 0 of an integration's revisions, score = number. Until 30 days after the last use. Written by the
API."""

product = _with_id("{def}:product:")
"""string: JSON of ``Product``. For ever. Written by the API."""
ping = _with_id("{def}:ping:")
"""list: JSON of ping tests, newest first. Until 50 came later. Written by all."""
ping_days = _with_id("{def}:ping-days:")
"""hash: days since 1970 and ``p`` or ``f`` → tests that passed or failed. Until 90 days later. Written by workers."""
credential_trial = _with_id("{def}:trial:")
"""string: JSON, sealed credentials to be tried out. Until taken, 60 s at most. Written by the API."""


def credential_trial_answer(trial_id: str) -> str:
    """string: JSON, what came of it. Until taken, 60 s at most. Written by a worker."""
    return f"{{def}}:trial:{trial_id}:answer"


# Installations: only ``store/installations`` writes them.

INSTALLATION_COUNTERS = "{def}:counters"
"""hash: ``marketplace``, ``template``, ``connector``, ``property`` → last id given. For ever. Written by the API."""
MARKETPLACES = "{def}:marketplaces"
"""zset: marketplace id, score = the same. Until it is deleted. Written by the API."""
TEMPLATES = "{def}:templates"
"""zset: connector template id, score = the same. Until it is deleted. Written by the API."""
TEMPLATE_NAMES = "{def}:template-names"
"""hash: name → JSON, the ids of all templates of that name. Until they are deleted. Written by the API."""
USERNAMES = "{def}:usernames"
"""hash: folded user name → JSON, ``[marketplace id, user id]`` of each. Until they are deleted. Written by the API."""
CONNECTORS_OF = "{def}:acc-connectors"
"""hash: account id → JSON, ``[id, name, integration id]`` of each. Until they are deleted. Written by all."""
marketplace = _with_id("{def}:mk:")
"""string: JSON of ``Marketplace``. Until it is deleted. Written by the API."""
template = _with_id("{def}:tpl:")
"""string: JSON of ``ConnectorTemplate``. Until it is deleted. Written by the API."""
account = _with_id("{def}:acc:")
"""string: JSON of ``Account``. Until it is deleted. Written by the API."""
accounts_of = _with_id("{def}:mk-accounts:")
"""zset: ids of a marketplace's accounts, score = created ms. Until they are deleted. Written by the API."""
user = _with_id("{def}:user:")
"""string: JSON of ``User``. Until it is deleted. Written by the API."""
users_of = _with_id("{def}:acc-users:")
"""zset: ids of an account's users, score = created ms. Until they are deleted. Written by the API."""
session = _with_id("{def}:session:")
"""string: JSON of a one-time link, by its token's SHA-256. Until a day later. Written by the API."""
portal_link = _with_id("{def}:portal-link:")
"""string: JSON of ``PortalLink``, by its id. Until a day later. Written by the API."""
portal_end = _with_id("{def}:portal-end:")
"""string: JSON with ``ended_ms``, by integration. Until no older session could last. Written by the API."""
authorization = _with_id("{def}:authorization:")
"""string: JSON of ``PendingAuthorization``, by its state's hash. Until it is taken, or 10 min. Written by the API."""
connector = _with_id("{def}:con:")
"""string: JSON of ``AccountConnector``. Until it is deleted. Written by all."""
INSTALLATIONS = "{def}:installations"
"""zset: installation ids, which sort by age, scores 0. Until they are deleted. Written by all."""
NEWEST = "{def}:n-newest"
"""hash: integration id → what was installed of it last. Until the integration is deleted. Written by all."""
EXCLUSIVE = "{def}:n-exclusive"
"""hash: account LF product → the installation that a page made of it. Until it is deleted. Written by all."""
OUTBOX = "{def}:outbox"
"""zset: installation id, score = ms of its newest effect. Until the queue has all of them. Written by all."""
UPDATES = "{def}:updates"
"""zset: installation id, score = since when an update of it is in progress. Until that ends. Written by all."""
REMAINS = "{def}:remains"
"""hash: account LF product → settings of what was uninstalled, without secrets. Until erased. Written by all."""
ERASURES = "{def}:erasures"
"""zset: ``Erasure`` as JSON, score = ms when it is looked at next. Until nothing is left. Written by all."""
DRAFTS = "{def}:drafts"
"""zset: installation id, score = ms of its last change. Until it is ordered or deleted. Written by all."""
UPGRADES = "{def}:upgrades"
"""zset: integration id, score = ms when installations behind its newest revision are looked at next. Until all were.
Written by all."""
UPGRADES_AT = "{def}:upgrades-at"
"""hash: integration id → revision LF the last installation looked at. Until all were. Written by workers."""
FREED = "{def}:freed"
"""zset: installation that may follow a newer revision again, or get a step done by a new connector, score = ms when it
is looked at next. Until it was. Written by all."""
PENDING = "{def}:pending"
"""zset: installation id, score = when its event is looked at next. Until it awaits none. Written by all."""
installation = _with_id("{def}:n:")
"""string: JSON of ``Installation``. Until it is deleted. Written by all."""
installations_of_account = _with_id("{def}:n-acc:")
"""zset: ids of what is installed into an account, scores 0. Until they are deleted. Written by all."""
installations_of_integration = _with_id("{def}:n-int:")
"""zset: ids of an integration's installations, scores 0. Until they are deleted. Written by all."""
installations_of_marketplace = _with_id("{def}:n-mk:")
"""zset: ids of what was installed through a marketplace, scores 0. Until they are deleted. Written by all."""
outbox = _with_id("{def}:outbox:")
"""hash: place → JSON of an effect, written with its transition. Until the queue has it. Written by all."""
bearer = _with_id("{def}:bearer:")
"""string: the installation that a one-time token, by its SHA-256, is for. Until 15 min later. Written by workers."""
bearer_taken = _with_id("{def}:bearer-taken:")
"""string: a call holds that token. Until the call is judged, or 15 min later. Written by the API."""

# The whole deployment.

ARCHIVE = "dispatcher:archive"
"""string: id of the storage that has this store's history. For ever. Written by a worker, at the first."""
ARCHIVE_TROUBLE = "dispatcher:archive:trouble"
"""string: what kept a worker from archiving. Until 15 min later, or it could again. Written by workers."""
EXEMPLARS = "dispatcher:exemplars"
"""hash: counter of a histogram's bucket → its last traced observation. For ever. Written by workers."""
fleet_history = _with_id("dispatcher:{fleet}:")
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
worker_info = _with_id("dispatcher:worker:")
"""string: JSON of host, pid, partitions, in flight. Until a minute after the last heartbeat. Written by workers."""


def idempotency(client_id: str, key: str) -> str:
    """string: event id and body hash. Until 24 hours later. Written by the API, before the event."""
    return "idem:" + hashlib.sha256(f"{client_id}\n{key}".encode()).hexdigest()[:40]


def rate_limit(bucket: str) -> str:
    """hash: left (tokens), at (ms). Until it is full again. Written by ``take_tokens``."""
    return "limit:" + hashlib.sha256(bucket.encode()).hexdigest()[:32]


redelivery = _with_id("redelivery:{all}:job:")
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


revoked = _with_id("revoked:")
"""string: 1, this access token (or the assertion of that hash, which was used) is refused. Until it would have ended.
Written by the API."""
token = _with_id("token:")
"""string: sealed access token of one credential set. Until the token ends. Written by workers."""
token_lock = _with_id("token-lock:")
"""string: who fetches this token now. Until 10 s later. Written by workers."""


# Channels.

DEFINITIONS_CHANNEL = "dispatcher:definitions"
"""channel: an integration's id, or ``product:ID``, that changed, so that caches drop it; ``trial:ID`` has an answer."""
nudge_channel = _with_id("dispatcher:nudge:")
"""channel: the number of a partition that has new work while this worker, its owner, sleeps."""
