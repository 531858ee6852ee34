"""One-time links per second, the first page behind one, and the weight of an account with its user and connector."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import orjson
from redis.asyncio import Redis

from bench.measurements.accepts import load, token_of
from bench.results.figures import Figure, figure
from bench.rig.deployment import Deployment, Setup, api, deployment
from bench.rig.traffic import define, product_id
from dispatcher.cli.bench.judging import percentile

CONNECTIONS = 16
SCOPE = "marketplace:partner integrations:write"
MARKETPLACE = 27
PAGES = 40


async def measure(setup: Setup) -> list[Figure]:
    """Rounds of: links for new accounts, links for known ones. Then pages, one after the other."""
    made_s: list[float] = []
    known_s: list[float] = []
    async with deployment() as made, api(made) as (child, address):
        await define(made.redis, made.sealer, 1, setup.sink.url)
        token = await token_of(address, made, SCOPE)
        await _open_shop(address, token)
        for number in range(setup.plan.rounds):
            bodies = _bodies(number, setup.plan.sessions)
            task = _task(address, token, bodies)
            made_s += await load(child, task, [], "200")
            known_s += await load(child, task, [], "200")
        weight = await _weight_of_accounts(made, setup.plan.rounds * setup.plan.sessions)
        page_ms = await _first_pages(address, token)
    return [
        figure("one-time links/s, new accounts", "1/s", made_s, note="one scrypt hash each"),
        figure("one-time links/s, known accounts", "1/s", known_s, note="no hash within five minutes"),
        figure("Redis bytes per account, user, connector and link", "B", [weight]),
        figure("first page after the link p95", "ms", [percentile(page_ms, 0.95)]),
    ]


async def _open_shop(address: str, token: str) -> None:
    shop = {"id": MARKETPLACE, "name": "Acme", "productIds": [product_id(0)]}
    url = f"{address}/v1/marketplaces"
    async with aiohttp.ClientSession(headers=_bearer(token)) as http, http.post(url, json=shop) as answer:
        answer.raise_for_status()


def _bodies(round_number: int, count: int) -> list[str]:
    return [orjson.dumps(_session(f"{round_number}-{number}")).decode() for number in range(count)]


def _session(account: str) -> dict[str, Any]:
    connector = {"Name": "Ledger", "AuthValue": "dXNlcm5hbWU6cGFzc3dvcmQ=", "Properties": []}
    return {
        "MarketplaceId": MARKETPLACE,
        "Username": f"user-{account}@example.com",
        "Password": "an obscure value",
        "AccountName": f"Customer {account}",
        "PartnerConnector": connector,
    }


def _task(address: str, token: str, bodies: list[str]) -> dict[str, Any]:
    return {
        "port": urlsplit(address).port,
        "path": "/v1.0/users/marketplace",
        "token": token,
        "connections": CONNECTIONS,
        "requests": len(bodies),
        "bodies": bodies,
    }


async def _weight_of_accounts(made: Deployment, count: int) -> float:
    """Of one account in everything that is kept of it, the audit log aside."""
    total = 0
    for pattern in ("{def}:acc*", "{def}:user*", "{def}:con:*", "{def}:session:*", "{def}:mk-accounts:*"):
        total += await _bytes(made.redis, pattern)
    return total / count


async def _bytes(redis: Redis, pattern: str) -> int:
    return sum([await redis.memory_usage(key, samples=0) or 0 async for key in redis.scan_iter(pattern, count=1000)])


async def _first_pages(address: str, token: str) -> list[float]:
    """Milliseconds from the first byte asked for to the last one of the page, redirect included."""
    took: list[float] = []
    for number in range(PAGES):
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(cookie_jar=jar) as browser:
            body = _session(f"page-{number}")
            async with browser.post(f"{address}/v1.0/users/marketplace", json=body, headers=_bearer(token)) as answer:
                link = (await answer.json())["MarketplaceUrl"]
            begun_s = time.perf_counter()
            async with browser.get(link) as page:
                await page.read()
                page.raise_for_status()
            took.append((time.perf_counter() - begun_s) * 1000)
    return took


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
