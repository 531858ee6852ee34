"""Families of keys, as patterns of an ACL rule: what a user of Redis must be allowed."""

from __future__ import annotations

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
"""All keys of the store."""
JOB_FAMILIES = ("dispatcher:*", "arq:*")
"""All keys of the job queue, which may be on another Redis."""
