"""Counts one-time links and passwords in this process, for its metrics. Labels have few values by construction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from prometheus_client.core import CounterMetricFamily, Metric

from dispatcher.flow.sessions.password_lockout import PASSWORD_LOOKS
from dispatcher.store.installations.parties.sessions import Opening

ISSUED = "issued"
LINKS = (ISSUED, *(one.value.lower() for one in Opening))


@dataclass(frozen=True, slots=True)
class SessionCounts:
    """One per process."""

    links: Counter[str] = field(default_factory=Counter)
    passwords: Counter[str] = field(default_factory=Counter)

    def link(self, outcome: str) -> None:
        self.links[outcome] += 1

    def password(self, outcome: str) -> None:
        self.passwords[outcome] += 1

    def families(self) -> Iterator[Metric]:
        links = "One-time links that were issued, and what came of opening them."
        yield _family("dispatcher_session_links", links, LINKS, self.links)
        passwords = "Passwords that were looked at, and looks that a lock-out stopped."
        yield _family("dispatcher_password_looks", passwords, PASSWORD_LOOKS, self.passwords)


def _family(name: str, text: str, outcomes: tuple[str, ...], counted: Counter[str]) -> Metric:
    family = CounterMetricFamily(name, text, labels=["outcome"])
    for outcome in outcomes:
        family.add_metric([outcome], counted[outcome])
    return family
