"""Parts of a worker process for its tokens, on a real Redis and a scripted endpoint. Holds no test."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from redis.asyncio import Redis

from dispatcher.model.integration import CredentialType, OutboundCredentials
from dispatcher.store.secrets.sealing import Sealer, new_key
from dispatcher.store.secrets.tokens import TokenStore
from tests.hosts import ProductHost
from tests.waiting import until
from worker.http.aiohttp_inside.session import guarded_session
from worker.http.transport_sessions import TransportSessions
from worker.oauth.client import Token, TokenFailure, TokenSource, token_source

SEED = OutboundCredentials(CredentialType.OAUTH2, client_id="123456", client_secret="S3cre1!")


@dataclass
class Moment:
    """A clock that a test moves."""

    now_s: float = field(default_factory=time.time)

    def __call__(self) -> float:
        return self.now_s

    def now_ms(self) -> int:
        return int(self.now_s * 1000)


@dataclass
class Bench:
    """Everything that one worker process needs for tokens; ``process`` makes another process's view."""

    sessions: TransportSessions
    store: TokenStore
    clock: Moment
    counted: list[bool] = field(default_factory=list)

    def process(self) -> TokenSource:
        return token_source(self.sessions, self.store, self.clock, on_fetch=self.counted.append)


@pytest.fixture
async def bench(redis: Redis) -> AsyncIterator[Bench]:
    async with guarded_session(lambda _: None) as session:
        yield Bench(TransportSessions(session, lambda *_: session), TokenStore(redis, Sealer([new_key()])), Moment())


@pytest.fixture
async def source(bench: Bench) -> AsyncIterator[TokenSource]:
    process = bench.process()
    yield process
    await process.close()


def for_host(host: ProductHost, **changes: Any) -> OutboundCredentials:
    return replace(SEED, token_uri=host.token_url, **changes)


async def value_of(source: TokenSource, credentials: OutboundCredentials, scope: str = "i") -> str:
    token = await source.token(credentials, scope)
    assert isinstance(token, Token), token
    return token.value


async def asked(host: ProductHost, count: int) -> None:
    """Until so many requests for a token have arrived."""
    await until(lambda: len(host.tokens.requests) >= count)


async def failure_of(source: TokenSource, credentials: OutboundCredentials) -> TokenFailure:
    failure = await source.token(credentials, "i")
    assert isinstance(failure, TokenFailure), failure
    return failure
