"""``python -m bench.peers.without_signals worker``: ``dispatcher`` that keeps no history and judges nothing.

For comparison alone: a deployment has no setting for it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from dispatcher.api import app as api
from dispatcher.cli.main import main
from dispatcher.policy.figures.tallies import Tallies
from worker.sampling import Sampler


@asynccontextmanager
async def _no_sampling(_: Sampler) -> AsyncIterator[None]:
    yield


async def _no_judging(_: web.Application) -> AsyncIterator[None]:
    yield


def _no_chart(*_: object) -> None:
    """Nothing."""


if __name__ == "__main__":
    Sampler.sampling = _no_sampling  # type: ignore[method-assign, assignment]
    api.judging = _no_judging  # type: ignore[assignment, attr-defined]
    Tallies.note = _no_chart  # type: ignore[assignment]
    main()
