"""Reads what the verdict is judged from: totals of partitions, troubled lanes, dead letters by cause.

No script of these costs more where there are more lanes: lanes are looked at in slices, and only those that something
is the matter with.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from dispatcher.model.troubles import Cause, Issue, PauseFacts, TroubledLane
from dispatcher.store.keys import queue as keys
from dispatcher.store.queue.records import number, pause_of, text
from dispatcher.store.redis.connection import guarded
from dispatcher.store.redis.scripts import Client, each, each_command, fields_of, run, script

LATE_MS = 60_000
LATE_LANES = 100
DIED_WITHIN_MS = 600_000
SLICE = 64
"""Troubled lanes that one script looks at: about a millisecond."""

_ACKNOWLEDGE = script("queue/acknowledge")
_PULSE = script("queue/pulse")
_TROUBLES = script("queue/troubles")
_MINUTE_MS = 60_000
_WINDOW_MINUTES = 5


@dataclass(frozen=True, slots=True)
class Pulse:
    """Totals of one partition. ``imbalance``: events accepted that neither ended nor are open; 0 in a healthy store."""

    partition: int
    now_ms: int
    owner: str | None
    lease_until_ms: int
    open: int
    awaiting: int
    troubled: int
    claimable_since_ms: int | None
    late: int
    late_since_ms: int | None
    died: int
    counters: dict[str, int]

    @property
    def accepted(self) -> int:
        return sum(self.counters.get(name, 0) for name in ("accepted", "notified", "reopened"))

    @property
    def ended(self) -> int:
        return sum(n for name, n in self.counters.items() if name.startswith("terminal:"))

    @property
    def imbalance(self) -> int:
        return self.accepted - self.ended - self.open


class Troubles:
    """All partitions of one store. Raises ``StoreUnavailable`` when Redis did not answer."""

    def __init__(self, client: Client, partitions: int) -> None:
        self._client = client
        self._partitions = range(partitions)

    async def pulses(self) -> list[Pulse]:
        """Of every partition that can be read."""
        arguments = LATE_MS, LATE_LANES, DIED_WITHIN_MS
        replies = await each(self._client, [_PULSE.call([keys.own(p)], *arguments) for p in self._partitions])
        return [_pulse(p, r) for p, r in zip(self._partitions, replies, strict=True) if not isinstance(r, Exception)]

    async def lanes(self, partitions: Iterable[int]) -> AsyncIterator[TroubledLane]:
        """Troubled lanes of these partitions, a slice at a time; without names."""
        cursors = dict.fromkeys(partitions, "0")
        while cursors:
            calls = [_TROUBLES.call([keys.own(p)], cursor, SLICE) for p, cursor in cursors.items()]
            for partition, reply in zip(list(cursors), await each(self._client, calls), strict=True):
                if isinstance(reply, Exception):
                    del cursors[partition]
                    continue
                cursors[partition] = text(reply[0])
                for row in reply[1:]:
                    yield _lane(row)
                if cursors[partition] == "0":
                    del cursors[partition]

    async def issues(self) -> list[Issue]:
        """Dead letters by cause; without names."""
        replies = await each_command(self._client, [("HGETALL", keys.issues(one)) for one in self._partitions])
        found = [fields_of(reply) for reply in replies if not isinstance(reply, Exception)]
        return [_issue(field, value) for issues in found for field, value in issues.items()]

    async def acknowledge(self, ids: Sequence[str]) -> int:
        """Somebody knows of these issues; returns how many there are. What dies of them later changes nothing."""
        wanted, known = frozenset(ids), 0
        for partition in self._partitions:
            with guarded():
                kept: dict[bytes, bytes] = await self._client.hgetall(keys.issues(partition))  # type: ignore[misc]
            for field in kept:
                if _id(field) in wanted:
                    call = _ACKNOWLEDGE.call([keys.own(partition)], field)
                    known += int((await run(self._client, [call]))[0])
        return known


def _pulse(partition: int, reply: list[Any]) -> Pulse:
    names, counts = reply[10][::2], reply[10][1::2]
    return Pulse(
        partition=partition,
        now_ms=int(reply[0]),
        owner=text(reply[1]) or None,
        lease_until_ms=int(float(reply[2])),
        open=int(reply[3]),
        awaiting=int(reply[4]),
        troubled=int(reply[5]),
        claimable_since_ms=number(reply[6]),
        late=int(reply[7]),
        late_since_ms=number(reply[8]),
        died=int(reply[9]),
        counters={text(name): int(count) for name, count in zip(names, counts, strict=True)},
    )


def _lane(row: list[Any]) -> TroubledLane:
    due, behind, parked = int(row[1]), int(row[2]), int(row[3])
    seen = {text(name): text(value) for name, value in zip(row[13][::2], row[13][1::2], strict=True)}
    paused_ms = number(row[7])
    return TroubledLane(
        integration_id=text(row[0]),
        waiting=due + behind + parked,
        accounts=due + parked,
        parked=parked,
        oldest_due_ms=number(row[4]),
        suspended_urls=int(row[5]),
        suspended_since_ms=number(row[6]),
        pause=_pause(paused_ms, row[14]) if paused_ms is not None else None,
        next_try_ms=number(row[8]),
        circuit_since_ms=number(row[9]),
        slowed_until_ms=number(row[10]),
        token_failing_since_ms=number(row[11]),
        disabled_ms=number(row[12]),
        attempts=_lately(seen, "a", _WINDOW_MINUTES),
        failures=_lately(seen, "f", _WINDOW_MINUTES),
        newest_attempts=_lately(seen, "a", 1),
        newest_failures=_lately(seen, "f", 1),
        failing_since_ms=int(seen["since"]) if "since" in seen else None,
        failures_in_a_row=int(seen.get("run", 0)),
        same_in_a_row=int(seen.get("same", 0)),
        cause=Cause(seen.get("o", ""), int(seen["h"]) if seen.get("h") else None, seen.get("w", "")),
    )


def _pause(since_ms: int, stored: bytes) -> PauseFacts:
    shown = pause_of(stored)
    return PauseFacts(since_ms, shown.reason, shown.by, shown.until_ms)


def _lately(seen: dict[str, str], kind: str, within: int) -> int:
    """Counts of that many minutes up to the newest in which something was counted."""
    minutes = [int(name[1:]) for name in seen if name[0] in "af" and name[1:].isdigit()]
    first = max(minutes, default=0) - within
    return sum(int(n) for name, n in seen.items() if name[0] == kind and name[1:].isdigit() and int(name[1:]) > first)


def _issue(field: bytes, value: bytes) -> Issue:
    lane, code, error = (part.decode(errors="replace") for part in field.split(b"\n", 2))
    count, first_ms, last_ms, acknowledged_ms = (int(part) for part in value.split())
    return Issue(_id(field), lane, code, error, count, first_ms, last_ms, acknowledged=acknowledged_ms > 0)


def _id(field: bytes) -> str:
    return hashlib.blake2b(field, digest_size=8).hexdigest()
