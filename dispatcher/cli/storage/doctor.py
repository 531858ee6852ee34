"""``dispatcher doctor``: is this installation fit to keep, and to deliver, what it accepts? Changes nothing."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from dispatcher.cli.beginning import load_settings, run
from dispatcher.cli.environment import remarks
from dispatcher.cli.processes.startup import open_store, with_archive
from dispatcher.cli.terminal.output import print_json, print_listing
from dispatcher.clock import system_clock
from dispatcher.errors import StoreUnavailable
from dispatcher.settings import Settings
from dispatcher.store.archive.archive import archive_in
from dispatcher.store.health.doctor.archive_check import examine_archive
from dispatcher.store.health.doctor.examination import examine, examine_queue, unreachable
from dispatcher.store.health.doctor.findings import Check, Level
from dispatcher.store.health.doctor.key_checks import examine_keys
from dispatcher.store.health.doctor.newest_key import examine_newest_key
from dispatcher.store.health.doctor.verdict_check import examine_verdict
from dispatcher.store.redis.connection import connect

COLUMNS = {"level": "", "name": "CHECK", "text": "FOUND"}
STYLES: dict[str, str] = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "red"}


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Check Redis, its durability, the keys, the clock and the workers. Status 1 when a check fails, 0 for warnings.

    Example: dispatcher doctor --json
    """
    checks = [
        *run(_examine(with_archive(load_settings()))),
        *(Check("environment", Level.WARN, remark) for remark in remarks()),
    ]
    well = all(check.level is not Level.FAIL for check in checks)
    if as_json:
        print_json({"well": well, "checks": [asdict(check) for check in checks]})
    else:
        print_listing([asdict(check) for check in checks], COLUMNS, as_json=False, styles=STYLES)
    if not well:
        raise typer.Exit(1)


async def _examine(settings: Settings) -> list[Check]:
    secret_keys = [key.get_secret_value() for key in settings.secret_keys]
    try:
        async with open_store(settings, client_name="dispatcher-doctor", claim=False) as store:
            queue_url = settings.queue_redis_url or store.url
            found = await examine(store.redis, settings.partitions, secret_keys, min_replicas=settings.min_replicas)
            async with connect(queue_url, client_name="dispatcher-doctor") as queue:
                newest = await examine_newest_key(store.redis, secret_keys)
                archive = archive_in(settings.archive_place, store.redis, system_clock.now_ms)
                archived = await examine_archive(store.redis, archive, settings.partitions)
                return [*found, newest, archived, await examine_queue(queue), await examine_verdict(store.redis)]
    except StoreUnavailable as error:
        return [unreachable(error), examine_keys(secret_keys)]
