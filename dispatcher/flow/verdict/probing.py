"""Scheduled pings that failed in a row, and certificates that end: some integrations at each look, in turn."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field

from dispatcher.flow.verdict.sources import Sources
from dispatcher.model.ping import PingStatus, PingTest, PingTrigger, StepName
from dispatcher.model.troubles import ProbeFacts

AT_ONCE = 50
"""Integrations whose pings are read at one look."""
READ = 10
_UNTIL = "(until "


@dataclass(slots=True)
class Probes:
    """One per process that judges."""

    _known: dict[str, ProbeFacts] = field(default_factory=dict)
    _next: int = 0

    async def facts(self, sources: Sources) -> list[ProbeFacts]:
        """As far as is known; those that are no longer pinged are forgotten."""
        probed = await sources.probed()
        self._known = {name: facts for name, facts in self._known.items() if name in set(probed)}
        turn = [probed[(self._next + n) % len(probed)] for n in range(min(AT_ONCE, len(probed)))]
        self._next = (self._next + AT_ONCE) % max(1, len(probed))
        for integration_id in turn:
            tests = [one for one in await sources.pings(integration_id) if one.status in _ENDED]
            found = await sources.cache.integration(integration_id)
            name, vendor_id = (found.name, found.vendor_id) if found else ("", None)
            self._known[integration_id] = read_probes(integration_id, name, vendor_id, tests)
        return list(self._known.values())


_ENDED = frozenset({PingStatus.PASSED, PingStatus.FAILED})


def read_probes(integration_id: str, name: str, vendor_id: str | None, tests: Sequence[PingTest]) -> ProbeFacts:
    """Of its tests that ended, newest first; one by hand that passed ends a row of scheduled ones that failed."""
    failed: list[PingTest] = []
    for test in tests:
        if test.status is PingStatus.PASSED:
            break
        if test.trigger is PingTrigger.SCHEDULE:
            failed.append(test)
    words = next((one.message or "" for test in failed[:1] for one in test.results if one.message), "")
    since_ms = failed[-1].started_ms if failed else 0
    return ProbeFacts(integration_id, name, vendor_id, len(failed), since_ms, words, _certificate_ends(tests[:1]))


def _certificate_ends(tests: Sequence[PingTest]) -> int | None:
    """The earliest end among the certificates that a test met."""
    steps = [step for test in tests for one in test.results for step in one.steps if step.name is StepName.TLS]
    ends = [step.text.partition(_UNTIL)[2].rstrip(")") for step in steps if _UNTIL in step.text]
    return min((int(ssl.cert_time_to_seconds(one)) * 1000 for one in ends), default=None)
