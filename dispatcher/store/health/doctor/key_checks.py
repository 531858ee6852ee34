"""Checks of DISPATCHER_SECRET_KEYS: that they seal, and open what the store holds. Shows no value, changes nothing."""

from __future__ import annotations

from collections.abc import Sequence

from redis.asyncio import Redis

from dispatcher.errors import ConfigurationError
from dispatcher.store.health.doctor.findings import Check, Level
from dispatcher.store.reseal.reseal import Resealer
from dispatcher.store.secrets.sealing import Sealer


def examine_keys(secret_keys: Sequence[str], sealed: str | None = None) -> Check:
    """Check that DISPATCHER_SECRET_KEYS can encrypt, and hold the key of ``sealed``, a value from the store."""
    name = "secret keys"
    if not secret_keys:
        return Check(
            name, Level.WARN, "none set: only `dispatcher dev` and `demo` start; `dispatcher config --new-key`"
        )
    try:
        sealers = [Sealer([key]) for key in secret_keys]
    except ConfigurationError as error:
        return Check(name, Level.FAIL, str(error))
    if sealed and all(sealer.stale(sealed) for sealer in sealers):
        return Check(name, Level.FAIL, "none of them opens what the store holds: add the key that was used before")
    return Check(name, Level.OK, f"{len(sealers)} usable, the first one encrypts")


async def sealed_values(redis: Redis, secret_keys: Sequence[str], found: Check) -> list[Check]:
    """Count the values that still need an older key, unless ``found`` says that no key is usable. Shows none."""
    name = "sealed values"
    if not secret_keys or found.text.startswith("key "):
        return []
    tally = await Resealer(redis, Sealer(secret_keys), write=False).run()
    if tally.problems:
        whose, why = next(iter(tally.problems.items()))
        return [Check(name, Level.FAIL, f"{len(tally.problems)} places cannot be opened, first {whose}: {why}")]
    if tally.stale:
        text = f"{tally.stale} of {tally.values} need an older key; run `dispatcher secrets reseal` before you drop it"
        return [Check(name, Level.WARN, text)]
    return [Check(name, Level.OK, f"{tally.values}, all sealed with the newest key")]
