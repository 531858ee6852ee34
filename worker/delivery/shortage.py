"""Shortages of this machine, apart from faults of the host: no event is charged, and no circuit opened, for ours."""

from __future__ import annotations

import errno
import os

PUT_OFF_S = 0.5
_SHORTAGES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


def own_shortage(error: Exception) -> str | None:
    """The resource that was missing to connect: file descriptors, buffers or memory. None = none was."""
    number = error.errno if isinstance(error, OSError) else None
    return os.strerror(number) if number in _SHORTAGES and number is not None else None
