"""Targets that name a host: answered like any other, whatever the host is."""

from __future__ import annotations

import asyncio

import pytest
from redis.asyncio import Redis

from dispatcher.cli.processes.listening import listening
from dispatcher.settings import Settings
from tests.api.conftest import KEY


@pytest.mark.parametrize("host", ["xn--", "xn--a", "a..b", "[fe80::1%25x]", "evil.example"])
async def test_bi58_target_with_an_unreadable_host_is_answered(redis: Redis, host: str) -> None:
    settings = Settings.model_validate({"port": 0, "secret_keys": KEY})
    async with listening(settings, redis) as api:
        reader, writer = await asyncio.open_connection("127.0.0.1", api.settings.port)
        writer.write(f"GET http://{host}/healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        async with asyncio.timeout(30):
            answer = await reader.read()
        writer.close()
        await writer.wait_closed()
    assert answer.startswith(b"HTTP/1.1 200 OK")
