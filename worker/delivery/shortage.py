"""Tells a shortage of this machine from a fault of the host: no event is charged, and no circuit opened, for ours."""

from __future__ import annotations

import errno
import os

PUT_OFF_S = 0.5
_SHORTAGES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


def own_shortage(error: Exception) -> str | None:
    """What this process ran out of (file descriptors, buffers, memory) as it wanted to connect; None = it did not."""
    number = error.errno if isinstance(error, OSError) else None
    return os.strerror(number) if number in _SHORTAGES and number is not None else None
