"""Recounts a store at work, partition by partition, and names the open events that are in no place or in two.

Changes nothing, and never counts by walking: an event that moves meanwhile would be met twice or not at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from dispatcher.model.queue import RecountReport
from dispatcher.model.status import FAILURES, Status
from dispatcher.store.keys import queue as keys
from dispatcher.store.queue.records import text
from dispatcher.store.redis.scripts import Argument, Client, reply_of, script

CHUNK = 500

_RECOUNT = script("queue/recount")


class _Look(NamedTuple):
    """One partition at one moment. ``broken``: of the events looked at, id → what is wrong."""

    cursor: str
    accepted: int
    terminal: int
    open: int
    broken: dict[str, str]


async def recount(client: Client, partitions: Iterable[int]) -> RecountReport:
    """Accepted = terminal + open, every open event is in exactly one place, every listed failure has failed.

    The numbers of a partition are of one moment, at which a healthy store has them agree, so their sums agree too,
    although each partition is of another moment. What stays open is met by the walk; what was wrong then, and is
    repaired or ended by the time of a second look, is not named. Raises StoreUnavailable.
    """
    accepted = terminal = still_open = failed = 0
    broken: dict[str, str] = {}
    for partition in partitions:
        last, suspects = await _walk(client, partition)
        accepted, terminal, still_open = accepted + last.accepted, terminal + last.terminal, still_open + last.open
        for at in range(0, len(suspects), CHUNK):
            broken |= (await _look(client, partition, "again", *suspects[at : at + CHUNK])).broken
        for status in FAILURES:
            listed, wrong = await _listed(client, partition, status)
            failed, broken = failed + listed, broken | wrong
    return RecountReport(accepted=accepted, terminal=terminal, open=still_open, broken=broken, failed=failed)


async def _listed(client: Client, partition: int, status: Status) -> tuple[int, dict[str, str]]:
    """The number of failures that are listed under a status, and those that are there by mistake."""
    cursor, wrong = "0", dict[str, str]()
    while True:
        seen = await _look(client, partition, "listed", cursor, CHUNK, status)
        wrong |= seen.broken
        if (cursor := seen.cursor) == "0":
            return seen.open, wrong


async def _walk(client: Client, partition: int) -> tuple[_Look, list[str]]:
    """The partition as the walk's last step saw it, and the ids that were wrong at any step."""
    cursor, suspects = "0", set[str]()
    while True:
        seen = await _look(client, partition, "walk", cursor, CHUNK)
        suspects |= seen.broken.keys()
        if (cursor := seen.cursor) == "0":
            return seen, sorted(suspects)


async def _look(client: Client, partition: int, *arguments: Argument) -> _Look:
    reply = await reply_of(client, _RECOUNT.call([keys.own(partition)], *arguments))
    named = iter(reply[4:])
    broken = {text(event_id): text(wrong) for event_id, wrong in zip(named, named, strict=True)}
    return _Look(text(reply[0]), int(reply[1]), int(reply[2]), int(reply[3]), broken)
