"""Every Redis key: its type, fields, lifetime and writer. Nothing else spells a key.

Partition keys share the hash tag ``{pN}``, so each script runs on one slot of a Redis Cluster.
``L`` is an integration id (the lane), ``G`` an ordering group (an account).

| key                | type   | holds                                                              | until            |
|--------------------|--------|--------------------------------------------------------------------|------------------|
| ``{pN}:own``       | hash   | gen, owner, until (lease, ms), granted (ms), asleep                | for ever         |
| ``{pN}:e:ID``      | hash   | doc (immutable), state (JSON), aN (attempt N, JSON)                | retention        |
| ``{pN}:k:L:G``     | list   | ids not terminal of one group, head first                          | it is empty      |
| ``{pN}:g:L:G``     | hash   | seq (last sequence), ident (accountIdentifier)                     | for ever         |
| ``{pN}:d:L``       | zset   | due heads of a lane, score = due ms                                | it is empty      |
| ``{pN}:l:L``       | hash   | busy, cap, behind, off, rate, tat, failing; paused, circuit, slow  | for ever       |
| ``{pN}:off:L``     | hash   | URL suspended by 410 → since ms                                    | enabled          |
| ``{pN}:park:L``    | zset   | ids held because their URL is suspended, score = since ms          | enabled          |
| ``{pN}:lanes``     | zset   | lanes with something due, score = earliest ms, inf = full or paused | nothing is due  |
| ``{pN}:known``     | set    | every lane that ever had an event                                  | for ever         |
| ``{pN}:flight``    | hash   | claimed id → attempt number                                        | settled          |
| ``{pN}:wait``      | zset   | ids awaiting a result, score = deadline ms                         | concluded        |
| ``{pN}:open``      | set    | every id that is not terminal                                      | terminal         |
| ``{pN}:dead``      | zset   | ids DEAD, score = since ms                                         | retention        |
| ``{pN}:log``       | stream | one entry per accepted event: id, and hashes to filter by          | retention        |
| ``{pN}:feed``      | stream | status changes, capped                                             | 1,000 entries    |
| ``{pN}:marks``     | zset   | process → its last sign of life in ms; each second                 | a day            |
| ``{pN}:waited``    | string | 1: a write to wait for, when replicas must follow                  | for ever         |
| ``{pN}:counts``    | hash   | counters since the store was made                                  | for ever         |
"""

from __future__ import annotations

import hashlib

META = "dispatcher:meta"
"""hash: partitions, schema. Written once, at the first start; checked at every other."""

WORKERS = "dispatcher:workers"
"""zset: worker id, score = last heartbeat in ms. Written by every worker each second."""

LOSSES = "dispatcher:losses"
"""hash: ms of the last sign that survived → JSON of ``Loss``. Written by whoever notices; 7 days after the last."""

NEVER_THERE = "dispatcher:never"
"""Nothing: deleted to learn whether writes are taken."""

NUDGE_CHANNEL = "dispatcher:nudge:"
"""pub/sub, + worker id: the number of a partition that has new work while its owner sleeps."""

DEFINITIONS_CHANNEL = "dispatcher:definitions"
"""pub/sub: id of an integration (or ``product:ID``) that changed, so that caches drop it."""


def worker_info(worker_id: str) -> str:
    """string, JSON: host, pid, partitions, in flight. Expires 10 s after the last heartbeat."""
    return f"dispatcher:worker:{worker_id}"


def partition(number: int) -> str:
    """Prefix of all keys of one partition, hash tag included."""
    return f"{{p{number}}}:"


def marks(number: int) -> str:
    """Signs of life, of the server that holds a partition."""
    return f"{{p{number}}}:marks"


def event(number: int, event_id: str) -> str:
    return f"{{p{number}}}:e:{event_id}"


def idempotency(client_id: str, key: str) -> str:
    """string: event id and body hash. 24 hours. Written before the event, so that a repeat finds its id."""
    return "idem:" + hashlib.sha256(f"{client_id}\n{key}".encode()).hexdigest()[:40]


# Definitions: one hash tag, so that publish and link change several keys in one script.

DEF_COUNTER = "{def}:appMarketId"
"""string, int: last appMarketId given."""
DEF_INTEGRATIONS = "{def}:integrations"
"""zset: integration id, score = created ms."""
DEF_ALIASES = "{def}:aliases"
"""hash: appMarketId or connectorId → integration id."""
DEF_INBOUND = "{def}:inbound"
"""hash: inbound client id → integration id."""
DEF_VENDORS = "{def}:vendors"
"""zset, all scores 0: ``vendor LF created ms (15 digits) LF integration id``, of integrations that have a vendor."""
DEF_CLIENTS = "{def}:clients"
"""hash: API client id → JSON."""

AUDIT_STREAM = "{def}:audit"
"""stream: ``e`` → one entry as JSON, with its predecessor's hash; ``p`` → the predecessor's place in the stream. Kept
until an entry is too old, or one too many."""
AUDIT_HEAD = "{def}:audit:head"
"""string: ``n:hash`` of the newest entry. For ever."""
AUDIT_KEYS = (AUDIT_HEAD, AUDIT_STREAM)
"""In the order in which ``_audit.lua`` has them."""


def definition(integration_id: str) -> str:
    """string, JSON of ``Integration``. Until deleted."""
    return f"{{def}}:i:{integration_id}"


def revision(integration_id: str, number: int) -> str:
    """string, JSON of ``Revision``. Immutable, kept while any event may need it."""
    return f"{{def}}:r:{integration_id}:{number}"


def product(product_id: str) -> str:
    """string, JSON of ``Product``."""
    return f"{{def}}:product:{product_id}"


def ping(integration_id: str) -> str:
    """list, JSON of ping tests, newest first, capped."""
    return f"{{def}}:ping:{integration_id}"


PROBES = "{def}:probes"
"""zset: integration id, score = when it is pinged by itself next, in ms. Until its interval or itself is gone."""


ROTATIONS = "{def}:rotations"
"""zset: integration id, score = when its signing key is rotated next, in ms. Until its schedule or itself is gone."""

SEALED_STALE = "{def}:sealed:stale"
"""string, int: sealed values that still need an older key. Written by whichever worker counted last."""
SEALED_TURN = "{def}:sealed:turn"
"""string: the worker that seals again what needs an older key. Until its turn is over."""


def credential_trial(trial_id: str) -> str:
    """string, JSON: sealed credentials that a worker is to try out; + ``:answer``: what came of it. 60 s."""
    return f"{{def}}:trial:{trial_id}"


def token(fingerprint: str) -> str:
    """string, sealed access token of one credential set. Expires with the token."""
    return f"token:{fingerprint}"


def token_lock(fingerprint: str) -> str:
    """string: who fetches this token now. 10 s."""
    return f"token-lock:{fingerprint}"


# Installations: in the slot of the definitions, so that a change, its indexes and its audit entry are one script.
# All of them stay until deleted, unless said otherwise; only ``dispatcher.store.installations`` writes them.

INSTALLATION_COUNTERS = "{def}:counters"
"""hash: ``marketplace``, ``template``, ``connector``, ``property`` → last id given. For ever."""
MARKETPLACES = "{def}:marketplaces"
"""zset: marketplace id, score = the same."""
TEMPLATES = "{def}:templates"
"""zset: connector template id, score = the same."""


def marketplace(marketplace_id: int) -> str:
    """string, JSON of ``Marketplace``."""
    return f"{{def}}:mk:{marketplace_id}"


def template(template_id: int) -> str:
    """string, JSON of ``ConnectorTemplate``."""
    return f"{{def}}:tpl:{template_id}"


TEMPLATE_NAMES = "{def}:template-names"
"""hash: name → JSON, the ids of all templates of that name."""


def account(account_id: str) -> str:
    """string, JSON of ``Account``."""
    return f"{{def}}:acc:{account_id}"


def accounts_of(marketplace_id: int) -> str:
    """zset: account id, score = created ms; those that were made in that marketplace."""
    return f"{{def}}:mk-accounts:{marketplace_id}"


def user(user_id: str) -> str:
    """string, JSON of ``User``."""
    return f"{{def}}:user:{user_id}"


USERNAMES = "{def}:usernames"
"""hash: user name in its folded case → JSON, ``[marketplace id, user id]`` of each user of that name."""


def users_of(account_id: str) -> str:
    """zset: user id, score = created ms."""
    return f"{{def}}:acc-users:{account_id}"


def session(token_digest: str) -> str:
    """string, JSON of a one-time link, by the SHA-256 of its token. A day, so that a late click learns why."""
    return f"{{def}}:session:{token_digest}"


def connector(connector_id: int) -> str:
    """string, JSON of ``AccountConnector``."""
    return f"{{def}}:con:{connector_id}"


CONNECTORS_OF = "{def}:acc-connectors"
"""hash: account id → JSON, ``[id, name, integration id]`` of each of its connectors."""
