"""Batches on their way: each is repeated until every event in it has its answer, or is given up."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from dispatcher.client.errors import ApiError, Unreachable, api_error
from dispatcher.client.transport import PASSING_STATUSES, Call
from dispatcher.errors import Problem

PATH = "/v1/events/batch"
MEDIA = "application/cloudevents-batch+json"
PAUSES_S = (0.5, 1.0, 2.0, 5.0)

_log = logging.getLogger("dispatcher.client")


@dataclass(frozen=True, slots=True, eq=False)
class Put:
    """One event with its key, and what becomes of it."""

    document: bytes
    accepted: asyncio.Future[str]


class Batches:
    """Sends one after another."""

    def __init__(self, call: Callable[[Call], Awaitable[Any]], give_up_s: float) -> None:
        self._call = call
        self._give_up_s = give_up_s

    async def send(self, batch: Sequence[Put]) -> None:
        """Until each has an answer, or is given up."""
        give_up_s = asyncio.get_running_loop().time() + self._give_up_s
        for n in itertools.count():
            problem = await self._tried(batch)
            batch = [one for one in batch if not one.accepted.done()]
            if not batch:
                return
            pause_s = PAUSES_S[min(n, len(PAUSES_S) - 1)]
            if problem is None or asyncio.get_running_loop().time() + pause_s > give_up_s:
                _fail(batch, problem or _unreadable())
                return
            await asyncio.sleep(pause_s)

    async def _tried(self, batch: Sequence[Put]) -> ApiError | Unreachable | None:
        """The error that may be gone in a moment, if something was wrong."""
        body = [orjson.Fragment(one.document) for one in batch]
        try:
            answer = await self._call(Call("POST", PATH, body=body, media=MEDIA))
        except Unreachable as error:
            return error
        except ApiError as error:
            if error.status == 413 and len(batch) > 1:
                return await self._halved(batch)
            if error.status in PASSING_STATUSES:
                return error
            _fail(batch, error)
            return None
        return _settle(batch, answer)

    async def _halved(self, batch: Sequence[Put]) -> ApiError | Unreachable | None:
        """The server takes less at once than may be sent here. The second half goes when the first has its answers."""
        middle = len(batch) // 2
        return await self._tried(batch[:middle]) or await self._tried(batch[middle:])


def _settle(batch: Sequence[Put], answer: Any) -> ApiError | None:
    """Hands each its answer; what may be gone in a moment is left to be tried again."""
    results = answer.get("results") if isinstance(answer, dict) else None
    if not isinstance(results, list) or [one.get("index") for one in results] != list(range(len(batch))):
        _fail(batch, _unreadable())
        return None
    passing: ApiError | None = None
    for one, result in zip(batch, results, strict=True):
        if result["status"] == 202:
            if not one.accepted.done():
                one.accepted.set_result(result["id"])
            continue
        error = api_error(result["status"], result, None)
        if error.status in PASSING_STATUSES:
            passing = error
        else:
            _fail([one], error)
    return passing


def _fail(batch: Sequence[Put], error: ApiError | Unreachable) -> None:
    _log.error("%d event(s) not accepted: %s", len(batch), error)
    for one in batch:
        if not one.accepted.done():
            one.accepted.set_exception(error)


def _unreadable() -> ApiError:
    return ApiError(
        502, [Problem("unreadable_answer", "what answered is not the API: it has no result for each event")]
    )
