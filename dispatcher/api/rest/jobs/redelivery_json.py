"""Bulk jobs, their dry runs and their results as JSON. Never reads anything."""

from __future__ import annotations

from typing import Any

from dispatcher.api.rest.events.shown.event_json import iso_or_none
from dispatcher.clock import iso_ms
from dispatcher.flow.events.acting.bulk_preview import Preview
from dispatcher.model.redelivery import BulkAction, Item, Redelivery


def job_json(job: Redelivery) -> dict[str, Any]:
    return {
        "id": job.id,
        "state": job.state.value,
        "action": job.action.value,
        "filter": job.asked,
        "author": job.client_id,
        "rate": job.rate_per_s,
        "total": job.total,
        "done": job.done,
        "skipped": job.skipped,
        "failed": job.failed,
        "startedAt": iso_ms(job.started_ms),
        "endedAt": iso_or_none(job.ended_ms),
    }


def item_json(item: Item) -> dict[str, Any]:
    return {"eventId": item.event_id, "outcome": item.outcome.value, "code": item.code}


def preview_json(seen: Preview, action: BulkAction, now_ms: int) -> dict[str, Any]:
    ends_ms = None if seen.seconds is None else now_ms + int(seen.seconds * 1000)
    return {
        "id": None,
        "matched": seen.tally.matched,
        "exact": seen.tally.exact,
        "action": action.value,
        "byStatus": seen.tally.by_status,
        "byIntegration": [
            {"integrationId": one.integration_id, "matched": one.matched, "ratePerSecond": one.rate_per_s}
            for one in seen.integrations
        ],
        "seconds": seen.seconds,
        "endsAt": iso_or_none(ends_ms),
    }
