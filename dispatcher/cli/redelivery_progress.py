"""Follows a bulk redelivery to its end: a bar on a terminal, silence elsewhere."""

from __future__ import annotations

import asyncio
import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from dispatcher.client import Client
from dispatcher.client.answers import RedeliveryJson
from dispatcher.errors import DispatcherError

LOOK_S = 0.2
STANDSTILL_S = 60.0


async def follow(client: Client, job_id: str) -> RedeliveryJson:
    """The job once it has ended. Raises DispatcherError when it stands still for a minute; it goes on by itself."""
    columns = (TextColumn("sending again"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        bar = progress.add_task("")
        position, moved_s = -1, time.monotonic()
        while True:
            job = await client.redelivery(job_id)
            now, now_s = job["done"] + job["skipped"], time.monotonic()
            progress.update(bar, total=job["total"], completed=now)
            if job["state"] != "RUNNING":
                return job
            if now != position:
                position, moved_s = now, now_s
            if now_s - moved_s > STANDSTILL_S:
                raise DispatcherError(f"redelivery {job_id} makes no progress; GET /v1/redeliveries/{job_id} tells on")
            await asyncio.sleep(LOOK_S)
