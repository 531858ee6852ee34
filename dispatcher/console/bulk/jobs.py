"""Bulk jobs: the list, one with its progress and what became of each event, and stopping it."""

from __future__ import annotations

from aiohttp import web

from dispatcher.api.auditing import noted
from dispatcher.api.http.request.known_parameters import refuse_unheeded
from dispatcher.api.http.request.query import integer
from dispatcher.api.rest.jobs.redeliveries import REDELIVERIES, job_within_reach, reaches_job
from dispatcher.console.bulk.preview import JOBS
from dispatcher.console.bulk.words import ACTION_WORDS, counted, number_of
from dispatcher.console.frame.sentences import back, said
from dispatcher.console.frame.viewer import Viewer
from dispatcher.model.redelivery import ItemOutcome, Redelivery, RedeliveryState
from dispatcher.store.queue.acting.redeliveries import ITEMS_KEPT

LIMIT, ITEMS = 50, 100
STATE_LOOKS = {
    RedeliveryState.RUNNING: ("run", "under way"),
    RedeliveryState.DONE: ("ok", "done"),
    RedeliveryState.FAILED: ("bad", "failed"),
    RedeliveryState.CANCELLED: ("off", "stopped"),
}
_OUTCOMES = {
    ItemOutcome.DONE: ("ok", "done"),
    ItemOutcome.SKIPPED: ("off", "nothing to do any more"),
    ItemOutcome.FAILED: ("bad", "refused"),
}


async def show_jobs(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    """Newest first, of the last seven days."""
    refuse_unheeded(request, {"cursor": False})
    jobs, cursor = await request.app[REDELIVERIES].newest(request.query.get("cursor"), LIMIT)
    shown = [job for job in jobs if reaches_job(viewer.caller, job)]
    return viewer.page("jobs.html", jobs=shown, cursor=cursor, looks=STATE_LOOKS, words=ACTION_WORDS, asked_of=asked_of)


async def show_job(request: web.Request, viewer: Viewer) -> web.StreamResponse:
    refuse_unheeded(request, {"first": False, "said": False})
    job, first = await job_within_reach(request), integer(request.query, "first", 0, 0, ITEMS_KEPT)
    items = await request.app[REDELIVERIES].items(job.id, first, ITEMS + 1)
    return viewer.page(
        "job.html",
        job=job,
        items=items[:ITEMS],
        further=first + ITEMS if len(items) > ITEMS else None,
        looks=STATE_LOOKS,
        outcomes=_OUTCOMES,
        heading=counted(job.action, number_of(job.total)),
        parts=[(count, words) for count, words in _parts(job) if count] or [(0, "done")],
        asked_of=asked_of,
        wide=min(1000, round(1000 * job.handled / job.total)) if job.total else 1000,
        said=said(request),
    )


async def stop_job(request: web.Request, _: Viewer, __: dict[str, str]) -> web.StreamResponse:
    """Keep the work that was done."""
    job = await job_within_reach(request)
    async with noted(request, "cancelRedelivery", "redelivery", job.id, before={"state": job.state.value}):
        stopped = await request.app[REDELIVERIES].cancel(job.id)
    return back(f"{JOBS}/{job.id}", "stopped" if stopped else "over")


def _parts(job: Redelivery) -> tuple[tuple[int, str], ...]:
    return (job.done, "done"), (job.skipped, "with nothing to do any more"), (job.failed, "refused")


def asked_of(job: Redelivery) -> str:
    """The filter as it was asked for, in one line."""
    if "q" in job.asked:
        return str(job.asked["q"])
    return " ".join(f"{name}={value}" for name, value in job.asked.items()) or "every failed event"
