"""Reads and writes bulk jobs as the fields and lines that the store keeps. Never talks to Redis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from dispatcher.model.event_type import EventType
from dispatcher.model.queue import EventFilter
from dispatcher.model.redelivery import BulkAction, Item, ItemOutcome, Redelivery, RedeliveryState
from dispatcher.model.status import Status
from dispatcher.model.term import Bounds, Field, Term
from dispatcher.store.redis.scripts import Argument


def fields_of(job: Redelivery) -> dict[str, Argument]:
    """Everything but its state and times, which scripts write."""
    return {
        "total": job.total,
        "done": job.done,
        "skipped": job.skipped,
        "failed": job.failed,
        "cursor": job.cursor,
        "listed": int(job.listed),
        "found": job.found,
        "next": job.next_ms,
        "condition": _condition(job.condition),
        "client": job.client_id,
        "action": job.action.value,
        "asked": orjson.dumps(job.asked),
        "rate": "" if job.rate_per_s is None else job.rate_per_s,
    }


def job_of(job_id: str, stored: Mapping[bytes, bytes]) -> Redelivery:
    return Redelivery(
        id=job_id,
        condition=_read_condition(stored[b"condition"]),
        state=RedeliveryState(stored[b"state"].decode()),
        total=int(stored[b"total"]),
        done=int(stored[b"done"]),
        skipped=int(stored[b"skipped"]),
        failed=int(stored[b"failed"]),
        cursor=stored[b"cursor"].decode(),
        listed=stored[b"listed"] == b"1",
        found=int(stored[b"found"]),
        client_id=stored[b"client"].decode(),
        action=BulkAction(stored[b"action"].decode()),
        asked=orjson.loads(stored[b"asked"]),
        rate_per_s=float(stored[b"rate"]) if stored[b"rate"] else None,
        next_ms=float(stored[b"next"]),
        started_ms=int(stored[b"started"]),
        ended_ms=int(stored[b"ended"]) if b"ended" in stored else None,
    )


def line_of(item: Item) -> str:
    return f"{item.event_id} {item.outcome} {item.code or ''}"


def item_of(line: bytes) -> Item:
    event_id, outcome, code = line.decode().split(" ", 2)
    return Item(event_id, ItemOutcome(outcome), code or None)


def _condition(condition: EventFilter) -> bytes:
    return orjson.dumps(
        {
            "statuses": sorted(condition.statuses),
            "types": sorted(condition.types),
            "product_id": condition.product_id,
            "account_id": condition.account_id,
            "integration_id": condition.integration_id,
            "from_ms": condition.from_ms,
            "to_ms": condition.to_ms,
            "vendor_id": condition.vendor_id,
            "terms": [_term(term) for term in condition.terms],
        }
    )


def _read_condition(stored: bytes) -> EventFilter:
    record: dict[str, Any] = orjson.loads(stored)
    statuses = frozenset(Status(name) for name in record.pop("statuses"))
    types = frozenset(EventType(name) for name in record.pop("types"))
    terms = tuple(_read_term(term) for term in record.pop("terms"))
    return EventFilter(statuses, types, terms=terms, **record)


def _term(term: Term) -> dict[str, Any]:
    return {
        "field": term.field.value,
        "values": term.values,
        "bounds": [list(one) for one in term.bounds],
        "negated": term.negated,
        "path": term.path,
        "integrations": sorted(term.integrations),
    }


def _read_term(record: dict[str, Any]) -> Term:
    return Term(
        Field(record["field"]),
        tuple(record["values"]),
        tuple(Bounds(*one) for one in record["bounds"]),
        record["negated"],
        record["path"],
        frozenset(record["integrations"]),
    )
