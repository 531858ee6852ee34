"""Judges a soak as Jepsen's total queue does, in memory that does not grow: nothing lost, no order broken, no duplicate
without its reason. Knows the load and the host's side of it only.
"""

from __future__ import annotations

import random
import time
from collections import Counter, deque
from dataclasses import dataclass, field

import orjson

from tests.hosts import Received, Reply

REMEMBERED = 100
REFUSED_PART = 0.02
BEFORE_S = 3.0
AFTER_S = 8.0
"""An attempt that began this long before a fault may still have been in flight; what it hit is sent again after it."""


@dataclass(slots=True)
class Account:
    """Events of one account are numbered from 1 and accepted one after another."""

    accepted: int = 0
    succeeded: int = 0
    recent: deque[tuple[int, float]] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    """Number, and when its first success arrived."""


@dataclass(slots=True)
class Judge:
    """``windows``: begin and end of every fault, monotonic seconds; None = it lasts."""

    seed: int
    accounts: dict[str, Account] = field(default_factory=dict)
    windows: list[tuple[float, float | None]] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    attempts: int = 0
    refused: int = 0
    doubles: list[tuple[str, int, float]] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def accepted(self, name: str, number: int) -> None:
        self.accounts[name].accepted = number

    def arrived(self, request: Received) -> Reply:
        """Answer of the host; a few first attempts are refused, always the same ones of a seed."""
        name, _, digits = str(orjson.loads(request.body)["payload"]["key"]).partition(":")
        number, account = int(digits), self.accounts[name]
        self.attempts += 1
        first = request.headers["x-delivery-attempt"] == "1"
        if first and random.Random(f"{self.seed}:{name}:{number}").random() < REFUSED_PART:
            self.refused += 1
            return Reply(500, b"")
        if number <= account.succeeded:
            self.doubles.append((name, number, dict(account.recent).get(number, 0.0)))
            return Reply(delay_s=0.02)
        if number > account.succeeded + 1:
            self.broken.append(f"{name}:{number} came when {account.succeeded} was the last that had succeeded")
        account.succeeded = number
        account.recent.append((number, request.arrived_s))
        return Reply(delay_s=0.02)

    @property
    def outstanding(self) -> int:
        """Accepted and not yet at the host."""
        return sum(max(0, account.accepted - account.succeeded) for account in self.accounts.values())

    def marks(self) -> dict[str, int]:
        """Place that accepting reached by now, for ``reached``."""
        return {name: account.accepted for name, account in self.accounts.items()}

    def reached(self, marks: dict[str, int]) -> bool:
        return all(self.accounts[name].succeeded >= number for name, number in marks.items())

    def unexplained(self) -> list[str]:
        """Doubles whose first attempt was not in flight at any fault."""
        return [f"{name}:{number}" for name, number, first_s in self.doubles if not self._at_a_fault(first_s)]

    def _at_a_fault(self, first_s: float) -> bool:
        now_s = time.monotonic()
        return any(begin - BEFORE_S <= first_s <= (end or now_s) + AFTER_S for begin, end in self.windows)
