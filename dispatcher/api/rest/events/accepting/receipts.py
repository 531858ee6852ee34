"""Answers to requests that accept events, and what all of them refuse. Accepts nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from aiohttp import web

from dispatcher.api.http.aiohttp_inside.receipt import Receipt
from dispatcher.api.http.request.idempotency import IDEMPOTENCY_KEY, REPLAYED
from dispatcher.api.http.response.respond import json_response
from dispatcher.errors import InvalidRequest, RequestError, Unprocessable
from dispatcher.model.queue import Accepted
from dispatcher.policy.notification.body import event_url

ACCEPTED = 202
MAX_BATCH = 1000


def accepted(receipt: Accepted, base_url: str, *, replayed: bool) -> web.StreamResponse:
    """202 with the event's id and address."""
    headers = located(receipt, base_url) | (REPLAYED if replayed else {})
    return Receipt(receipt_json(receipt, base_url), ACCEPTED, headers)


def located(receipt: Accepted, base_url: str) -> dict[str, str]:
    """The header with the event's address."""
    return {"Location": f"{base_url}/v1/events/{receipt.id}"}


def receipt_json(receipt: Accepted, base_url: str) -> dict[str, str]:
    return {"id": receipt.id, "eventUrl": event_url(base_url, receipt.id), "status": "QUEUED"}


def results(outcomes: Sequence[Accepted | RequestError]) -> web.StreamResponse:
    """One for each item, in their order."""
    answers = [
        {"index": index, "status": one.status, "errors": [problem.as_json() for problem in one.problems]}
        if isinstance(one, RequestError)
        else {"index": index, "status": 202, "id": one.id}
        for index, one in enumerate(outcomes)
    ]
    return json_response({"results": answers})


def limited(items: Iterable[Any]) -> list[Any]:
    """The items of a batch; 422 when they are too many."""
    taken: list[Any] = []
    for item in items:
        if len(taken) == MAX_BATCH:
            raise Unprocessable.of("limit_reached", f"A batch may have {MAX_BATCH} events at most; send several.")
        taken.append(item)
    return taken


def refuse_key(request: web.Request, text: str) -> None:
    """400 where something else is the key; ``text`` says what."""
    if IDEMPOTENCY_KEY in request.headers:
        raise InvalidRequest.of("idempotency_not_supported", text, IDEMPOTENCY_KEY)
