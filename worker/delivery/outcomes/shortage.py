"""Shortages of this worker, apart from faults of the host: no event is charged, and no circuit opened, for ours."""

from __future__ import annotations

import errno
import os

PUT_OFF_S = 0.5
_SHORTAGES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EAGAIN})
"""The last: its tenant's share of threads is used up (``worker.http.ration``)."""


def own_shortage(error: Exception) -> str | None:
    """The resource that was missing to connect: file descriptors, buffers, memory or threads. None = none was."""
    number = error.errno if isinstance(error, OSError) else None
    return os.strerror(number) if number in _SHORTAGES and number is not None else None
