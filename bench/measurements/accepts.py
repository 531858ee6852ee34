"""Accepts per second of one API process over HTTP, with a bearer token, beside a bare aiohttp handler."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import aiohttp
import orjson

from bench.plan import ACCOUNTS_PER_INTEGRATION, INTEGRATIONS
from bench.results.figures import Figure, figure
from bench.rig.deployment import Deployment, Setup, api, deployment
from bench.rig.jobs import cpu_s, job
from bench.rig.traffic import define, product_id
from dispatcher.cli.bench.children import Child, ChildFailed, program
from dispatcher.cli.bench.load import payload

PEER = "bare aiohttp handler"
CONNECTIONS = 128
"""Enough to keep the API busy: of 64 callers that wait for their answers, the two writes under way hold most."""
BATCH_CONNECTIONS = 8
BATCH_EVENTS = 100


async def measure(setup: Setup) -> list[Figure]:
    """Rounds of: API, bare handler, API with idempotency keys, batches. No worker runs meanwhile."""
    own: list[float] = []
    bare: list[float] = []
    keyed: list[float] = []
    batches: list[float] = []
    own_cpu: list[float] = []
    bare_cpu: list[float] = []
    keyed_cpu: list[float] = []
    batch_cpu: list[float] = []
    async with (
        deployment() as made,
        api(made) as (ours, address),
        program(made.folder, ["bench.peers.bare_api"]) as theirs,
    ):
        await define(made.redis, made.sealer, INTEGRATIONS, setup.sink.url)
        token = await token_of(address, made)
        task = _task(address, token, CONNECTIONS, setup.plan.accepts, _bodies())
        bare_address = await theirs.said(r"listening on (\S+)")
        for _ in range(setup.plan.rounds):
            own += await load(ours, task, own_cpu, "202")
            bare += await load(theirs, task | {"port": urlsplit(bare_address).port}, bare_cpu, "202")
            keyed += await load(ours, task | {"keyed": True}, keyed_cpu, "202")
            batch = _task(address, token, BATCH_CONNECTIONS, setup.plan.batches, _batches())
            rate = await load(ours, batch | {"path": "/v1/events/batch"}, batch_cpu, "200")
            batches += [one * BATCH_EVENTS for one in rate]
    return [
        figure("accepts/s beside bare aiohttp", "1/s", own, PEER, bare),
        figure("API CPU per accept", "µs", own_cpu, PEER, bare_cpu),
        figure("accepts/s with an idempotency key beside bare aiohttp", "1/s", keyed, PEER, bare),
        figure("API CPU per accept with an idempotency key", "µs", keyed_cpu, PEER, bare_cpu),
        figure("accepts/s in batches of 100", "1/s", batches),
        figure("API CPU per event in batches", "µs", [one / BATCH_EVENTS for one in batch_cpu], PEER, bare_cpu),
    ]


async def load(server: Child, task: dict[str, Any], cpu_us: list[float], expected: str) -> list[float]:
    """The rate; the server's CPU per request is added to ``cpu_us``."""
    before_s = cpu_s(server.pid)
    answer = await job("bench.rig.load", task)
    if set(answer["statuses"]) != {expected}:
        raise ChildFailed(f"not all answers were {expected}: {answer['statuses']}")
    cpu_us.append((cpu_s(server.pid) - before_s) / task["requests"] * 1e6)
    return [answer["rate_per_s"]]


async def token_of(address: str, made: Deployment, scope: str = "events:write") -> str:
    """An access token of the administrator."""
    form = {
        "grant_type": "client_credentials",
        "client_id": made.settings["DISPATCHER_ADMIN_CLIENT_ID"],
        "client_secret": made.settings["DISPATCHER_ADMIN_CLIENT_SECRET"],
        "scope": scope,
    }
    async with aiohttp.ClientSession() as http, http.post(f"{address}/oauth2/token", data=form) as answer:
        granted: dict[str, Any] = await answer.json()
    if "access_token" not in granted:
        raise ChildFailed(f"no token: {granted}")
    token: str = granted["access_token"]
    return token


def _task(address: str, token: str, connections: int, requests: int, bodies: list[str]) -> dict[str, Any]:
    return {
        "port": urlsplit(address).port,
        "path": "/v1/events",
        "token": token,
        "connections": connections,
        "requests": requests,
        "bodies": bodies,
    }


def _event(number: int) -> dict[str, Any]:
    integration = number % INTEGRATIONS
    return {
        "type": "SUBSCRIPTION_CHANGE",
        "productId": product_id(integration),
        "accountId": f"account-{number}",
        "payload": payload(number),
    }


def _bodies() -> list[str]:
    return [orjson.dumps(_event(number)).decode() for number in range(INTEGRATIONS * ACCOUNTS_PER_INTEGRATION // 10)]


def _batches() -> list[str]:
    numbers = range(0, INTEGRATIONS * 10, BATCH_EVENTS)
    return [orjson.dumps([_event(k) for k in range(first, first + BATCH_EVENTS)]).decode() for first in numbers]
