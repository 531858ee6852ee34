"""Text of any length that packing makes little smaller, for payloads whose size matters. Holds no test."""

from __future__ import annotations

import base64
import random


def filler(chars: int) -> str:
    """The same text each time."""
    return base64.b64encode(random.Random(chars).randbytes(chars)).decode()[:chars]
