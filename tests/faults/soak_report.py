"""The checks of a soak, the table that shows them, and the JSON that keeps them."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson
from rich.console import Console
from rich.table import Table

from tests.faults.deployment import Deployment
from tests.faults.soak_judge import Judge
from tests.faults.soak_samples import Samples
from tests.programs import dispatcher_command, ran

MOST_GROWTH = 0.10
STEEPER_AT_MOST = 1.5
LINES_PER_S = 20
WIDTH = 140


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault: when, and how long after its end every account had one event more at the host (None = too long)."""

    name: str
    window: tuple[float, float | None]
    recovered_s: float | None
    within_s: float

    @property
    def good(self) -> bool:
        return self.recovered_s is not None and self.recovered_s <= self.within_s

    def __str__(self) -> str:
        took = "not in time" if self.recovered_s is None else f"{self.recovered_s:.1f} s"
        lasted_s = (self.window[1] or self.window[0]) - self.window[0]
        return f"{self.name} for {lasted_s:.1f} s, recovered in {took} (at most {self.within_s:.0f} s)"


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    good: bool
    told: str


async def checks(
    deployment: Deployment, judge: Judge, findings: list[Finding], samples: Samples, drained_s: float | None
) -> list[Check]:
    """Everything that has to hold at the end."""
    report = await deployment.store.recount()
    accepted = sum(account.accepted for account in judge.accounts.values())
    audit = await _audit_command(deployment)
    slow = [str(finding) for finding in findings if not finding.good]
    other = {answer: count for answer, count in judge.answers.items() if answer not in ("202", "503", "none", "401")}
    unexplained = judge.unexplained()
    return [
        Check("drained", drained_s is not None, f"{judge.outstanding} outstanding after {drained_s or 0:.1f} s"),
        Check("none lost", judge.outstanding == 0, f"{accepted} accepted, {judge.outstanding} never arrived"),
        Check(
            "none invented", report.accepted == accepted, f"{report.accepted} in the store, {accepted} keys answered"
        ),
        Check("accepted = terminal + open", report.well, f"{report.accepted} = {report.terminal} + {report.open}"),
        Check("`dispatcher audit`", audit[0] == 0, audit[1]),
        Check("order per account", not judge.broken, "; ".join(judge.broken[:5]) or "kept"),
        Check("duplicates", not unexplained, f"{len(judge.doubles)}, unexplained: {unexplained[:5]}"),
        Check("answers", not other, str(dict(judge.answers))),
        Check("recovery", not slow, "; ".join(slow) or f"{len(findings)} faults"),
        _memory(samples),
        _redis_memory(samples),
        _log_lines(deployment),
    ]


async def _audit_command(deployment: Deployment) -> tuple[int, str]:
    """The command that an operator would run."""
    where = {"DISPATCHER_REDIS_URL": deployment.server.url}
    done = await ran(dispatcher_command("audit", "--json"), deployment.folder, where)
    return done.status, " ".join((done.out or done.err).split())[:200]


def _memory(samples: Samples) -> Check:
    growths = samples.growths()
    told = ", ".join(f"{one.process} {one.part:+.1%} in {one.lived_s:.0f} s" for one in growths)
    return Check(
        "memory of processes", all(one.part <= MOST_GROWTH for one in growths), told or "none lived long enough"
    )


def _redis_memory(samples: Samples) -> Check:
    slopes = samples.redis_bytes_per_event()
    if slopes is None:
        return Check("memory of Redis", True, "too few samples")
    first, second = slopes
    return Check(
        "memory of Redis", second <= STEEPER_AT_MOST * max(first, 1.0), f"{first:.0f} then {second:.0f} bytes an event"
    )


def _log_lines(deployment: Deployment) -> Check:
    most = max(program.most_lines_per_s() for program in deployment.programs)
    return Check("log lines", most <= LINES_PER_S, f"at most {most:.1f} a second, over ten seconds")


def show(
    found: list[Check], findings: list[Finding], judge: Judge, samples: Samples, seed: int, json: Path | None
) -> bool:
    """Prints it all, writes it if a file is named, and tells whether every check is passed."""
    table = Table(title=f"soak, seed {seed}")
    for name in ("check", "passed", "told"):
        table.add_column(name)
    for check in found:
        table.add_row(check.name, "yes" if check.good else "NO", check.told)
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    console.print(table)
    if json is not None:
        document = {
            "seed": seed,
            "checks": [asdict(check) for check in found],
            "faults": [asdict(finding) for finding in findings],
            "attempts": judge.attempts,
            "refused": judge.refused,
            "memory": [asdict(growth) for growth in samples.growths()],
        }
        json.write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2))
    return all(check.good for check in found)
