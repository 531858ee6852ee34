"""``dispatcher audit``: recounts the store itself and proves that no event is lost. Changes nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from dispatcher.cli.beginning import load_settings, run
from dispatcher.cli.processes.startup import no_store, open_store, with_archive
from dispatcher.cli.terminal.output import print_json, print_listing
from dispatcher.clock import system_clock
from dispatcher.model.queue import RecountReport
from dispatcher.settings import Settings
from dispatcher.store.archive.archive import archive_in
from dispatcher.store.archive.upkeep.auditing import ArchiveReport, check_segments, recount_archive
from dispatcher.store.health.meta import stored_partitions
from dispatcher.store.installations.installed.unfinished import Unfinished, effects_waiting
from dispatcher.store.installations.recount import Recounted, recount_installed
from dispatcher.store.queue.watching.recount import recount
from dispatcher.store.redis.client import StoreClient
from dispatcher.store.redis.url import parse

LATE_MS = 10_000
"""Greatest age of an effect in the outbox: workers look once a second."""
COLUMNS = {"id": "ID", "wrong": "WHAT IS WRONG"}


def audit(
    data_dir: Annotated[
        Path | None, typer.Option(help="Folder of an embedded server, in place of DISPATCHER_REDIS_URL.")
    ] = None,
    deep: Annotated[
        bool,
        typer.Option("--deep", help="Read every file of the archive; compare its hash, and its events with Redis."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Recount: accepted = ended + open, and every open event is in exactly one place. Status 1 when it is not so.

    Example: dispatcher audit --data-dir .dispatcher/demo
    """
    settings = load_settings()
    if data_dir is not None:
        elsewhere = {"redis_url": None, "archive_dir": None, "archive_url": None}
        settings = settings.model_copy(update={"data_dir": data_dir, **elsewhere})
    report, late, installed, archived = run(_audit(with_archive(settings), deep=deep))
    well = report.well and not late.count and installed.well and archived.well
    if as_json:
        print_json(_as_json(report, installed, archived) | {"well": well, "outbox": late.count})
    else:
        _show(report, settings)
        _show_archived(archived)
        _show_installed(installed)
        if late.oldest is not None:
            typer.secho(f"{late.count} installations wait for a worker, as {late.oldest[0]}", fg=typer.colors.RED)
    if not well:
        raise typer.Exit(1)


async def _audit(settings: Settings, *, deep: bool) -> tuple[RecountReport, Unfinished, Recounted, ArchiveReport]:
    async with open_store(settings, client_name="dispatcher-audit", claim=False, existing=True) as store:
        partitions = await stored_partitions(store.redis)
        if partitions is None:
            raise no_store(settings)
        events = await recount(store.redis, range(partitions))
        archived = await _archived(store.redis, settings, range(partitions), deep=deep)
        return events, await effects_waiting(store.redis, LATE_MS), await recount_installed(store.redis), archived


async def _archived(redis: StoreClient, settings: Settings, partitions: range, *, deep: bool) -> ArchiveReport:
    report = await recount_archive(redis, partitions)
    archive = archive_in(settings.archive_place, redis, system_clock.now_ms)
    if not deep or not report.segments:
        return report
    if archive is None:
        remedy = "set DISPATCHER_ARCHIVE_DIR or DISPATCHER_ARCHIVE_URL to where it is"
        return replace(report, broken={"archive": remedy})
    return report if report.broken else replace(report, broken=await check_segments(archive, partitions))


def _as_json(report: RecountReport, installed: Recounted, archived: ArchiveReport) -> dict[str, object]:
    broken = report.broken | installed.broken | archived.broken
    return {
        "well": report.well,
        "accepted": report.accepted,
        "terminal": report.terminal,
        "open": report.open,
        "failed": report.failed,
        "archived": archived.events,
        "segments": archived.segments,
        "installed": dict(installed.counts),
        "broken": [{"id": object_id, "wrong": wrong} for object_id, wrong in broken.items()],
    }


def _show(report: RecountReport, settings: Settings) -> None:
    where = parse(settings.redis_url).label if settings.redis_url else f"{settings.data_dir} (embedded server)"
    typer.echo(f"{where}: {report.accepted} accepted = {report.terminal} ended + {report.open} open")
    if report.failed:
        typer.echo(f"{report.failed} of those that ended failed, and are kept")
    if report.broken:
        print_listing(
            [{"id": event_id, "wrong": wrong} for event_id, wrong in report.broken.items()], COLUMNS, as_json=False
        )
    if report.well:
        typer.secho("nothing is lost, and every open event is in exactly one place", fg=typer.colors.GREEN)
    elif not report.broken:
        missing = report.accepted - report.terminal - report.open
        typer.secho(f"the counts differ by {missing}", fg=typer.colors.RED)


def _show_archived(archived: ArchiveReport) -> None:
    if archived.segments or archived.counted:
        where = f"{archived.segments} segments of {archived.size / 1e6:.1f} MB"
        typer.echo(f"{archived.events} of those that ended are archived, in {where}")
    if archived.counted != archived.events:
        typer.secho(f"{archived.counted} were archived and have not expired", fg=typer.colors.RED)
    if archived.broken:
        rows = [{"id": object_id, "wrong": wrong} for object_id, wrong in archived.broken.items()]
        print_listing(rows, COLUMNS, as_json=False)


def _show_installed(installed: Recounted) -> None:
    if installed.counts:
        typer.echo(", ".join(f"{count} {kind}" for kind, count in sorted(installed.counts.items())))
    if installed.broken:
        rows = [{"id": object_id, "wrong": wrong} for object_id, wrong in installed.broken.items()]
        print_listing(rows, COLUMNS, as_json=False)
