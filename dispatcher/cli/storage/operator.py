"""By whom and where changes made at a shell are noted: whoever runs the program, and the log. Writes nothing itself."""

from __future__ import annotations

import getpass
import socket

from dispatcher.model.audit_entry import Author
from dispatcher.settings import Settings
from dispatcher.store.audit_log.log import AuditLog
from dispatcher.store.redis.client import StoreClient


def operator() -> Author:
    return Author(f"cli:{getpass.getuser()}", address=socket.gethostname())


def audit_log_of(settings: Settings, redis: StoreClient) -> AuditLog:
    return AuditLog(redis, settings.audit_ms, settings.audit_entries)
