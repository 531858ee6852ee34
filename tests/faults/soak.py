"""``python -m tests.faults.soak --minutes 10``: load over HTTP while faults come at random, then everything is checked.

An API, two workers and a Redis run as processes; exit status 1 when a check fails. ``--seed`` repeats a run's faults.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import ClientError, ClientSession, ClientTimeout

from tests.faults.client import NO_ANSWER, Answer, Client
from tests.faults.deployment import Deployment, deployed
from tests.faults.proxy import Proxy
from tests.faults.soak_faults import FAULTS, Scene
from tests.faults.soak_judge import Account, Judge
from tests.faults.soak_report import Check, Finding, checks, show
from tests.faults.soak_samples import Samples
from tests.hosts import ProductHost
from tests.ports import free_port

LANES = 4
SCHEDULE_S = (0.05,) * 12
DRAIN_WITHIN_S = 60.0


@dataclass(frozen=True, slots=True)
class Plan:
    """Orders; ``every_s`` from the begin of one fault to the begin of the next, if it has passed by then."""

    seconds: float
    rate: float
    accounts: int
    every_s: float
    seed: int
    json: Path | None = None


class Backend(Client):
    """A marketplace backend that emits for products of several integrations and logs in again when it has to."""

    async def emit(self, account: str, key: str, filler: str = "", product: str = "") -> Answer:
        product = product or f"P{int(account[1:]) % LANES}"
        body = {"type": "upgrade", "productId": product, "accountId": account, "payload": {"key": key}}
        headers = {"Authorization": f"Bearer {self._token}", "Idempotency-Key": key}
        try:
            async with self._session.post(f"{self.address}/v1/events", json=body, headers=headers) as answer:
                if answer.status == 401:
                    await self.log_in()
                return answer.status, answer.headers, await answer.json()
        except (ClientError, TimeoutError, AssertionError):
            return NO_ANSWER, {}, None


@dataclass(slots=True)
class Soak:
    """One run."""

    plan: Plan
    scene: Scene
    judge: Judge
    backend: Backend
    samples: Samples
    findings: list[Finding] = field(default_factory=list)
    deck: list[str] = field(default_factory=list)
    """Faults still to come before any comes again."""
    stopped: bool = False

    async def run(self) -> list[Check]:
        """Load and faults for as long as planned, then everything that was accepted is waited for."""
        callers = [asyncio.create_task(self._emit(f"A{n}")) for n in range(self.plan.accounts)]
        sampling = asyncio.create_task(self.samples.run(self.scene))
        end_s = time.monotonic() + self.plan.seconds
        while time.monotonic() < end_s:
            await self._next_fault(min(end_s, time.monotonic() + self.plan.every_s))
        self.stopped = True
        await asyncio.gather(*callers)
        drained_s = await self._until_reached(self.judge.marks(), DRAIN_WITHIN_S)
        sampling.cancel()
        return await checks(self.scene.deployment, self.judge, self.findings, self.samples, drained_s)

    async def _emit(self, name: str) -> None:
        """One account's events in turn, each repeated with its key until it is accepted."""
        pause_s = self.plan.accounts / self.plan.rate
        await asyncio.sleep(random.random() * pause_s)
        number = 0
        while not self.stopped:
            number += 1
            due_s = time.monotonic() + pause_s
            while (status := (await self.backend.emit(name, f"{name}:{number}"))[0]) != 202:
                self.judge.answers[str(status or "none")] += 1
                await asyncio.sleep(0.2)
            self.judge.answers["202"] += 1
            self.judge.accepted(name, number)
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))

    async def _next_fault(self, until_s: float) -> None:
        if not self.deck:
            self.deck = self.scene.chance.sample(list(FAULTS), len(FAULTS))
        name = self.deck.pop()
        fault, within_s = FAULTS[name]
        begin_s = time.monotonic()
        self.judge.windows.append((begin_s, None))
        await fault(self.scene)
        self.judge.windows[-1] = (begin_s, time.monotonic())
        one_more = {name: number + 1 for name, number in self.judge.marks().items()}
        recovered_s = await self._until_reached(one_more, 3 * within_s)
        self.findings.append(Finding(name, self.judge.windows[-1], recovered_s, within_s))
        print(f"{self.findings[-1]}", file=sys.stderr, flush=True)
        await asyncio.sleep(max(0.0, until_s - time.monotonic()))

    async def _until_reached(self, marks: dict[str, int], within_s: float) -> float | None:
        """Seconds until the host has all of it; None = not in time."""
        began_s = time.monotonic()
        while not self.judge.reached(marks):
            if time.monotonic() - began_s > within_s:
                return None
            await asyncio.sleep(0.05)
        return time.monotonic() - began_s


async def soak(plan: Plan) -> bool:
    """True if every check was passed. Prints the table, and writes the JSON if asked."""
    judge = Judge(plan.seed, {f"A{n}": Account() for n in range(plan.accounts)})
    async with AsyncExitStack() as stack:
        host = await stack.enter_async_context(ProductHost(judge.arrived))
        deployment = await stack.enter_async_context(deployed(host))
        await _integrations(deployment)
        proxy = await stack.enter_async_context(Proxy("127.0.0.1", deployment.server.port))
        scene = Scene(deployment, proxy, random.Random(plan.seed), free_port())
        await scene.staff()
        assert scene.api is not None
        session = await stack.enter_async_context(ClientSession(timeout=ClientTimeout(total=15)))
        backend = Backend(session, scene.api, f"http://127.0.0.1:{scene.api_port}")
        await backend.log_in()
        run = Soak(plan, scene, judge, backend, Samples())
        passed = await run.run()
        return show(passed, run.findings, judge, run.samples, plan.seed, plan.json)


async def _integrations(deployment: Deployment) -> None:
    for lane in range(LANES):
        integration = await deployment.integration(schedule_s=SCHEDULE_S)
        await deployment.definitions.link(f"P{lane}", integration.id, 3)


def asked_for(arguments: Sequence[str]) -> Plan:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.soak", description="Faults at random, under load.")
    parser.add_argument("--minutes", type=float, default=10.0, help="how long faults come (1440 = a day)")
    parser.add_argument("--rate", type=float, default=60.0, help="events a second")
    parser.add_argument("--accounts", type=int, default=60, help="accounts, each with its own order")
    parser.add_argument("--every", type=float, default=20.0, help="seconds between faults")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="of the faults")
    parser.add_argument("--json", type=Path, help="file for the report")
    given = parser.parse_args(arguments)
    return Plan(given.minutes * 60, given.rate, given.accounts, given.every, given.seed, given.json)


if __name__ == "__main__":
    asked = asked_for(sys.argv[1:])
    print(f"seed {asked.seed}", file=sys.stderr, flush=True)
    sys.exit(0 if asyncio.run(soak(asked)) else 1)
