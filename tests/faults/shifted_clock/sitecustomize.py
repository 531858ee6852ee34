"""Run by every Python process that finds this folder on its path: its wall clock is off by the seconds in a file.

Stands for a machine whose clock is wrong, or is set while it works. The monotonic clock is left alone, as by NTP.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

FILE = os.environ.get("TEST_CLOCK_SHIFT_FILE")


def shift(file: Path) -> None:
    real = time.time

    def wrong() -> float:
        return real() + float(file.read_text())

    vars(time)["time"] = wrong


if FILE:
    shift(Path(FILE))
