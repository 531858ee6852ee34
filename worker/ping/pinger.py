"""Ping tests: what a worker does with one that was asked for. All its types run at once; the outcome is written down.

Never raises for what a host does. A test that is stopped or runs past its deadline is FAILED with the reason.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

import structlog

from dispatcher.clock import Clock
from dispatcher.model.ping import PingStatus, PingTest, concluded, given_up
from dispatcher.store.definitions.editing import Definitions
from worker.delivery.delivery import Identity
from worker.delivery.targets.lookup import Targets
from worker.delivery.targets.target import Target
from worker.http.transport_sessions import TransportSessions
from worker.ping.connection import ConnectionCheck
from worker.ping.delivery import PingContext, ping
from worker.ping.errands import Errands
from worker.ping.security import check_security
from worker.ping.tokens import fresh_tokens

TOO_SLOW = "The test was given up at its deadline: the host or its token endpoint answers too slowly."
GONE = "The integration was deleted, or its version is gone."
MISPLACED = "Nothing was sent: {} was saved for another place than this version names. Give it again, and save."
BROKEN = "The test broke off inside the worker; its log says why. Ping again."

log = structlog.get_logger("ping")


@dataclass(frozen=True, slots=True)
class Pinger:
    """One per worker process."""

    definitions: Definitions
    targets: Targets
    sessions: TransportSessions
    connections: ConnectionCheck
    identity: Identity
    clock: Clock
    errands: Errands

    async def run(self, integration_id: str, test_id: str) -> None:
        """The job. A test that is no longer RUNNING, or overdue, is left as it is."""
        async with self.errands.place(integration_id):
            await self._run(integration_id, test_id)

    async def _run(self, integration_id: str, test_id: str) -> None:
        test = await self.definitions.pings.find(integration_id, test_id)
        if test is None or test.status is not PingStatus.RUNNING or self._left_s(test) <= 0:
            return
        ended = await self._ended(integration_id, test)
        await self.definitions.pings.replace(integration_id, ended)
        log.info(
            "ping test",
            integration_id=integration_id,
            test_id=test_id,
            version=test.version.value,
            trigger=test.trigger.value,
            status=ended.status.value,
            failed=[one.event_type.value for one in ended.results if one.status is PingStatus.FAILED],
        )

    async def _ended(self, integration_id: str, test: PingTest) -> PingTest:
        try:
            target = await self._target(integration_id, test.revision)
            if target is None:
                return given_up(test, self._now_ms(), GONE)
            if target.misplaced:
                return given_up(test, self._now_ms(), MISPLACED.format(target.misplaced))
            async with asyncio.timeout(self._left_s(test)):
                return await self._tried(target, test)
        except TimeoutError:
            return given_up(test, self._now_ms(), TOO_SLOW)
        except Exception:
            log.exception("ping test broke off", integration_id=integration_id, test_id=test.id)
            return given_up(test, self._now_ms(), BROKEN)

    async def _tried(self, target: Target, test: PingTest) -> PingTest:
        tokens = fresh_tokens(self.sessions, self.clock)
        context = PingContext(target, self.sessions, tokens, self.connections, self.identity, self.clock)
        try:
            results = tuple(await asyncio.gather(*(ping(context, one) for one in test.results)))
            checks = await check_security(context, results) if test.security else ()
        finally:
            await tokens.close()
        return concluded(replace(test, results=results, security_checks=checks), self._now_ms())

    async def _target(self, integration_id: str, number: int) -> Target | None:
        """Read from the store, not from the cache: people ping right after they changed something."""
        integration = await self.definitions.integration(integration_id)
        revision = await self.definitions.revision(integration_id, number) if integration else None
        return self.targets.get(integration, revision) if integration and revision else None

    def _now_ms(self) -> int:
        return self.clock.now_ms()

    def _left_s(self, test: PingTest) -> float:
        return (test.deadline_ms - self._now_ms()) / 1000
