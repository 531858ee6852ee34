"""Follows a bulk job to its end: a bar on a terminal, silence elsewhere. Ctrl-C leaves the job running."""

from __future__ import annotations

import asyncio
import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from dispatcher.cli.terminal.output import note
from dispatcher.client import Client
from dispatcher.client.answers import RedeliveryJson
from dispatcher.errors import DispatcherError

LOOK_S = 0.2
STANDSTILL_S = 60.0


async def follow(client: Client, job_id: str, doing: str) -> RedeliveryJson:
    """The job once it has ended. Raises DispatcherError when it stands still for a minute; it goes on by itself."""
    console = Console(stderr=True)
    columns = (TextColumn(doing), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    try:
        with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
            return await _ended(client, job_id, progress)
    except asyncio.CancelledError:
        note(f"job {job_id} goes on: `dispatcher redeliveries show {job_id}` says how far it is,")
        note(f"`dispatcher redeliveries cancel {job_id}` ends it")
        raise


async def _ended(client: Client, job_id: str, progress: Progress) -> RedeliveryJson:
    bar = progress.add_task("")
    position, moved_s = -1, time.monotonic()
    while True:
        job = await client.jobs.get(job_id)
        now, now_s = job["done"] + job["skipped"] + job["failed"], time.monotonic()
        progress.update(bar, total=job["total"], completed=now)
        if job["state"] != "RUNNING":
            return job
        if now != position:
            position, moved_s = now, now_s
        if now_s - moved_s > max(STANDSTILL_S, 2 / (job["rate"] or 1)):
            raise DispatcherError(f"job {job_id} makes no progress; `dispatcher redeliveries show {job_id}` tells on")
        await asyncio.sleep(LOOK_S)
