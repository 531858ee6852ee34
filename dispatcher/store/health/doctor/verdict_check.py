"""The last verdict as a finding of the doctor: what needs somebody is no secret of another command. Judges nothing."""

from __future__ import annotations

from redis.asyncio import Redis

from dispatcher.clock import iso_ms
from dispatcher.model.verdict import Severity
from dispatcher.store.health.doctor.findings import Check, Level
from dispatcher.store.health.verdicts import VerdictStore
from dispatcher.store.redis.server_time import server_now_ms

STALE_MS = 15_000
_LEVELS = {Severity.PAGE: Level.FAIL, Severity.ACT: Level.WARN, Severity.INFO: Level.OK}
_NAME = "verdict"


async def examine_verdict(redis: Redis) -> Check:
    """As severe as what is most severe in it."""
    said = await VerdictStore(redis).read()
    if said is None:
        return Check(_NAME, Level.OK, "nobody has judged yet: `dispatcher serve` does")
    if await server_now_ms(redis) - said.at_ms > STALE_MS:
        return Check(
            _NAME, Level.WARN, f"last judged at {iso_ms(said.at_ms)}: no API process judges; `dispatcher serve`"
        )
    worst = next((one.severity for one in said.problems), Severity.INFO)
    return Check(
        _NAME, _LEVELS[worst], f"{said.text} (`dispatcher status`)" if worst is not Severity.INFO else said.text
    )
