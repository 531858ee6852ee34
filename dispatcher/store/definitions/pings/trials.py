"""Credentials on their way to a worker that tries them out, and what came of it. Sealed; gone after a minute."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, field, replace

from pydantic import TypeAdapter
from redis.asyncio import Redis

from dispatcher.ids import new_uuid
from dispatcher.model.connector import ConnectorAuth
from dispatcher.model.integration import OutboundCredentials, Transport
from dispatcher.model.ping import CredentialsTried
from dispatcher.store.jobs import JobQueue
from dispatcher.store.keys import definitions as keys
from dispatcher.store.redis.connection import guarded
from dispatcher.store.secrets.passing import trial_value
from dispatcher.store.secrets.sealing import Sealer

KEPT_S = 60
POLL_S = 0.05
"""Pause between looks for an answer, by whoever is not told of it."""
LOOK_S = 2.0
"""The same by whoever is: what is told may be lost."""

Heard = Callable[[Callable[[str], None]], AbstractContextManager[None]]
"""While open, calls with what is announced, and with '' when something may have been missed."""


@dataclass(frozen=True, slots=True)
class AccountTrial:
    """An account's own value, tried with a notification that no queue knows. ``value`` is sealed for the trial."""

    revision: int
    account_id: str
    kind: ConnectorAuth
    properties: Mapping[str, str]
    origins: tuple[str, ...]
    value: str = ""


@dataclass(frozen=True, slots=True)
class CodeTrial:
    """An authorization code to be redeemed (RFC 6749 §4.1.3). ``code`` and ``verifier`` are sealed for the template."""

    template_id: int
    code: str
    verifier: str
    redirect_uri: str


@dataclass(frozen=True, slots=True)
class Trial:
    """``credentials`` and ``transport`` are sealed for the integration of that id, which need not exist."""

    integration_id: str
    credentials: OutboundCredentials = field(default_factory=OutboundCredentials)
    transport: Transport = field(default_factory=Transport)
    account: AccountTrial | None = None
    code: CodeTrial | None = None
    tenant: str = ""
    """Party whose share of a worker it takes; empty = the integration's."""

    @classmethod
    def of_account(cls, integration_id: str, account: AccountTrial, value: str, sealer: Sealer) -> Trial:
        sealed = sealer.seal(value, trial_value(integration_id))
        return cls(integration_id, account=replace(account, value=sealed))


_TRIAL = TypeAdapter(Trial)
_TRIED = TypeAdapter(CredentialsTried)


class Trials:
    """Both ends: the API asks and waits, a worker takes and answers."""

    def __init__(self, redis: Redis, jobs: JobQueue, heard: Heard | None = None) -> None:
        self._redis = redis
        self._jobs = jobs
        self._heard = heard

    async def ask(self, trial: Trial, timeout_s: float) -> CredentialsTried | None:
        """A worker's answer; None when none came in time."""
        trial_id, told = new_uuid(), asyncio.Event()
        mine = ("", _announcement(trial_id))
        with self._heard(lambda said: told.set() if said in mine else None) if self._heard else nullcontext():
            with guarded():
                await self._redis.set(keys.credential_trial(trial_id), _TRIAL.dump_json(trial), ex=KEPT_S)
            await self._jobs.credentials(trial_id)
            try:
                async with asyncio.timeout(timeout_s):
                    return await self._answer(keys.credential_trial_answer(trial_id), told)
            except TimeoutError:
                return None

    async def _answer(self, name: str, told: asyncio.Event) -> CredentialsTried:
        while True:
            told.clear()
            with guarded():
                answer = await self._redis.getdel(name)
            if answer is not None:
                return _TRIED.validate_json(answer)
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S if self._heard else POLL_S):
                    await told.wait()

    async def take(self, trial_id: str) -> Trial | None:
        """The trial, once."""
        with guarded():
            asked = await self._redis.getdel(keys.credential_trial(trial_id))
        return None if asked is None else _TRIAL.validate_json(asked)

    async def answer(self, trial_id: str, tried: CredentialsTried) -> None:
        name = keys.credential_trial_answer(trial_id)
        with guarded():
            await self._redis.set(name, _TRIED.dump_json(tried), ex=KEPT_S)
            await self._redis.publish(keys.DEFINITIONS_CHANNEL, _announcement(trial_id))


def _announcement(trial_id: str) -> str:
    return f"trial:{trial_id}"
