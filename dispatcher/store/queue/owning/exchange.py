"""A round's settles and claims in few calls: what a small one costs is mostly that it comes alone.

One call for many partitions; in a cluster one for each, since they may be on different nodes. Reads no answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

import structlog
from redis.asyncio import RedisCluster

from dispatcher.errors import StoreUnavailable
from dispatcher.store.redis.scripts import Argument, Call, Client, by_itself, each, script

ENOUGH = 500
"""Arguments of outcomes in one call, some 40 of them: one call for hundreds costs Redis a fifth more an event."""

_SETTLE_AND_CLAIM = script("queue/settle_and_claim")

_Keys = tuple[str, ...]

log = structlog.get_logger("store")


class _Turn(NamedTuple):
    """Requests to one partition."""

    settle: Call | None
    claim: Call | None

    @property
    def call(self) -> Call:
        """The one that there is, or the first of both."""
        return self.settle or self.claim  # type: ignore[return-value]

    def arguments(self) -> list[Argument]:
        settling, claiming = ((call.arguments if call else ()) for call in self)
        return [len(settling), *settling, len(claiming), *claiming]


async def exchange(
    client: Client, settles: Sequence[Call], claims: Sequence[Call]
) -> tuple[list[Any | None], list[Any | None]]:
    """Settle and claim in one round trip. Answers as ``unless_failed``; raises ``StoreUnavailable`` when none came."""
    settling, claiming = {call.keys: call for call in settles}, {call.keys: call for call in claims}
    turns = {keys: _Turn(settling.get(keys), claiming.get(keys)) for keys in settling | claiming}
    together = [[keys] for keys in turns] if isinstance(client, RedisCluster) else _groups(turns)
    calls = [_joined([turns[keys] for keys in group]) for group in together]
    replies = zip(together, calls, await each(client, calls), strict=True)
    answers = by_itself([answer for group, call, reply in replies for answer in _answers(len(group), call, reply)])
    kept = dict(zip(turns, unless_failed([turn.call for turn in turns.values()], answers), strict=True))
    return [_part(kept[call.keys], 0) for call in settles], [_part(kept[call.keys], -1) for call in claims]


def unless_failed(calls: Sequence[Call], replies: Sequence[Any]) -> list[Any | None]:
    """The replies, None in the place of one that is an error."""
    for call, reply in zip(calls, replies, strict=True):
        if isinstance(reply, StoreUnavailable):
            log.warning("partition unavailable", script=call.script.name, key=call.keys[0], error=str(reply))
        elif isinstance(reply, Exception):
            log.error("script failed", script=call.script.name, key=call.keys[0], error=str(reply))
    return [None if isinstance(reply, Exception) else reply for reply in replies]


def _groups(turns: Mapping[_Keys, _Turn]) -> list[list[_Keys]]:
    """Partitions that are asked in one call."""
    groups: list[list[_Keys]] = []
    size = ENOUGH
    for keys, turn in turns.items():
        if size >= ENOUGH:
            groups.append([])
            size = 0
        groups[-1].append(keys)
        size += len(turn.settle.arguments) if turn.settle else 0
    return groups


def _joined(turns: Sequence[_Turn]) -> Call:
    """One call for all; the plain one where that is all there is."""
    first = turns[0]
    if len(turns) == 1 and not (first.settle and first.claim):
        return first.call
    arguments = chain.from_iterable(turn.arguments() for turn in turns)
    return _SETTLE_AND_CLAIM.call([turn.call.keys[0] for turn in turns], *arguments)


def _answers(count: int, call: Call, reply: Any) -> list[Any]:
    """Of each partition both answers, or the error in their place."""
    if isinstance(reply, Exception):
        return [reply] * count
    return list(reply) if call.script is _SETTLE_AND_CLAIM else [(reply,)]


def _part(answers: Sequence[Any] | None, which: int) -> Any | None:
    return None if answers is None else answers[which]
