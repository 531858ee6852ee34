"""Keys of definitions, API clients and the audit log, and the channel that announces a change.

They share the hash tag ``{def}`` with those of installations: several of them, and the audit entries, change in one
step.
"""

from __future__ import annotations

import hashlib

from dispatcher.store.keys.forms import with_id

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


def saved_views(whose: str) -> str:
    """string: JSON of each ``SavedView`` of one client or person, or of one reach. Until the last is gone. Written by
    the API."""
    return "{def}:views:" + hashlib.sha256(whose.encode()).hexdigest()[:32]


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
definition = with_id("{def}:i:")
"""string: JSON of ``Integration``. Until it is deleted. Written by the API and by reseal."""


def revision(integration_id: str, number: int) -> str:
    """string: JSON of ``Revision``, immutable but for its sealing. Until it is deleted; below 0, a copy of WORKING as
    of that moment, 30 days after its last use. Written by the API."""
    return f"{{def}}:r:{integration_id}:{number}"


pins = with_id("{def}:pins:")
"""zset: numbers below 0 of an integration's revisions, score = number. Until 30 days after the last use. Written by the
API."""

product = with_id("{def}:product:")
"""string: JSON of ``Product``. For ever. Written by the API."""
ping = with_id("{def}:ping:")
"""list: JSON of ping tests, newest first. Until 50 came later. Written by all."""
ping_days = with_id("{def}:ping-days:")
"""hash: days since 1970 and ``p`` or ``f`` → tests that passed or failed. Until 90 days later. Written by workers."""
credential_trial = with_id("{def}:trial:")
"""string: JSON, sealed credentials to be tried out. Until taken, 60 s at most. Written by the API."""


def credential_trial_answer(trial_id: str) -> str:
    """string: JSON, what came of it. Until taken, 60 s at most. Written by a worker."""
    return f"{{def}}:trial:{trial_id}:answer"


DEFINITIONS_CHANNEL = "dispatcher:definitions"
"""channel: an integration's id, or ``product:ID``, that changed, so that caches drop it; ``trial:ID`` has an answer;
``jobs:QUEUE`` has a job."""
