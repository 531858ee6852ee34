"""Ids of worker processes: unique, and telling where one is."""

from __future__ import annotations

import secrets
import socket


def new_call() -> str:
    """The end of an id, drawn: a process number comes again."""
    return secrets.token_hex(3)


def worker_id(pid: int, called: str) -> str:
    """The id of a process of this machine."""
    return f"{socket.gethostname()}-{pid}-{called}"
