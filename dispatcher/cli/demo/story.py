"""The demo's steps, over HTTP as any client would: define, publish, link, emit, watch. Prints nothing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dispatcher.catalogue.samples import sample_payload
from dispatcher.cli.demo.stage import Stage
from dispatcher.client import Client
from dispatcher.client.answers import EventJson
from dispatcher.errors import DispatcherError
from dispatcher.model.event_type import TYPE_RULES, EventType, parse_event_type
from dispatcher.sample_host import Notification, SampleHost

PRODUCT_ID = "demo-product"
ACCOUNT_ID = "acme"
KINDS = ("create", "upgrade", "assign", "unassign", "notify", "cancel")
"""In the order of a subscription's life."""
RETRIED = "upgrade"
"""The host answers 503 to its first attempt."""
LOOK_S = 0.1
END_WITHIN_S = 20.0
NOTICES_WITHIN_S = 5.0

CREATE = """mutation Create($input: CreateProductIntegrationInput!) {
  createProductIntegration(input: $input) { productIntegration { id } signingSecret userErrors { message } } }"""
PUBLISH = """mutation Publish($id: ID!) {
  publishProductIntegration(input: {integrationId: $id}) { productIntegration { id } userErrors { message } } }"""
LINK = """mutation Link($id: ID!, $product: ID!) {
  linkProductIntegration(input: {integrationId: $id, productId: $product}) {
    product { id } userErrors { message } } }"""


@dataclass(frozen=True, slots=True)
class Line:
    """One event, as the API and the host see it.

    ``seen``: what the host received last; ``answers``: what it answered to each; ``latency_ms``: of the last attempt.
    """

    name: str
    event_id: str
    type: str = ""
    sequence: int = 0
    status: str = "QUEUED"
    attempts: int = 0
    consumed: bool = False
    seen: Notification | None = None
    answers: tuple[int, ...] = ()
    latency_ms: float | None = None
    error: str = ""


Show = Callable[[Sequence[Line]], None]


async def define(stage: Stage) -> str:
    """An integration whose URLs all lead to the sample host; its id. The host learns the signing secret."""
    urls = {rule.url_field: stage.host.notification_url(rule.alias) for rule in TYPE_RULES.values() if rule.alias}
    credentials = {
        "type": "OAUTH2",
        "clientId": stage.host.client_id,
        "clientSecret": stage.host.client_secret,
        "tokenUri": stage.host.token_url,
        "grantType": "client_credentials",
    }
    given = {"name": "Demo integration", **urls, "outboundCredentials": credentials}
    created = await _mutate(stage.client, CREATE, input=given)
    stage.host.trust(str(created["signingSecret"]))
    integration_id = str(created["productIntegration"]["id"])
    await _mutate(stage.client, PUBLISH, id=integration_id)
    await _mutate(stage.client, LINK, id=integration_id, product=PRODUCT_ID)
    return integration_id


async def play(stage: Stage, show: Show) -> list[Line]:
    """The first event alone; then the host turns busy, and the others have to wait behind the one it sends away."""
    first = [await _emit(stage.client, KINDS[0])]
    first = await _watch(stage, first, show)
    await _notices(stage.host, 1)
    stage.host.be_unavailable(1)
    lines = first + [await _emit(stage.client, name) for name in KINDS[1:]]
    lines = await _watch(stage, lines, show)
    await _notices(stage.host, len(lines))
    return lines


def complaints(lines: Sequence[Line], received: Sequence[Notification]) -> list[str]:
    """Everything that went wrong; empty = all well."""
    found = [text for line in lines for text in _wrong(line)]
    taken = [one.event_id for one in received if one.status == 200 and not one.repeated]
    in_order = [line.event_id for line in sorted(lines, key=lambda line: line.sequence)]
    if [event_id for event_id in taken if event_id in set(in_order)] != in_order:
        found.append("the host did not take the events once each and in their order")
    notices = [one for one in received if one.type == EventType.SUBSCRIPTION_STATUS and one.status == 200]
    if len(notices) != len(lines):
        found.append(f"the host took {len(notices)} status notifications, not {len(lines)}")
    return found


def _wrong(line: Line) -> list[str]:
    wanted_attempts = 2 if line.name == RETRIED else 1
    if line.status != "SUCCEEDED":
        return [f"{line.name} is {line.status} after {line.attempts} attempts: {line.error or 'no error was given'}"]
    if line.seen is None or not line.seen.genuine or not line.seen.authorised:
        return [f"{line.name}: the host did not find it genuine ({line.seen.text if line.seen else 'never received'})"]
    if line.attempts != wanted_attempts:
        return [f"{line.name} took {line.attempts} attempts, not {wanted_attempts}"]
    return []


async def _mutate(client: Client, mutation: str, **variables: Any) -> dict[str, Any]:
    (payload,) = (await client.graphql(mutation, variables)).values()
    if payload["userErrors"]:
        raise DispatcherError("; ".join(error["message"] for error in payload["userErrors"]))
    return dict(payload)


async def _emit(client: Client, name: str) -> Line:
    kind = parse_event_type(name)
    event = {"type": name, "productId": PRODUCT_ID, "accountId": ACCOUNT_ID}
    accepted = await client.emit(event | ({"payload": sample_payload(kind)} if kind else {}))
    return Line(name, accepted["id"], type=str(kind))


async def _watch(stage: Stage, lines: list[Line], show: Show) -> list[Line]:
    """Until all have ended, or ``END_WITHIN_S`` has passed."""
    deadline_s = time.monotonic() + END_WITHIN_S
    while True:
        lines = await _look(stage, lines)
        show(lines)
        if all(line.consumed for line in lines) or time.monotonic() > deadline_s:
            return lines
        await asyncio.sleep(LOOK_S)


async def _look(stage: Stage, lines: list[Line]) -> list[Line]:
    conditions = {"productId": PRODUCT_ID, "accountId": ACCOUNT_ID}
    events = {event["id"]: event async for event in stage.client.events(conditions, limit=100)}
    return [await _updated(stage, line, events.get(line.event_id)) for line in lines]


async def _updated(stage: Stage, line: Line, event: EventJson | None) -> Line:
    if event is None or line.consumed:
        return line
    seen = [one for one in stage.host.received if one.event_id == line.event_id]
    latency_ms = line.latency_ms
    if event["attempts"] > line.attempts:
        latency_ms = (await stage.client.attempts(line.event_id))[-1]["durationMs"]
    error = event["error"]
    return replace(
        line,
        sequence=event["sequence"],
        status=event["status"],
        attempts=event["attempts"],
        consumed=event["consumed"],
        seen=seen[-1] if seen else None,
        answers=tuple(one.status for one in seen),
        latency_ms=latency_ms,
        error=f"{error['code']} {error['message'] or ''}".strip() if error else "",
    )


async def _notices(host: SampleHost, count: int) -> None:
    """Wait until the host has heard how ``count`` events ended; judged later if it has not."""
    deadline_s = time.monotonic() + NOTICES_WITHIN_S
    while time.monotonic() < deadline_s:
        if sum(one.type == EventType.SUBSCRIPTION_STATUS for one in host.received) >= count:
            return
        await asyncio.sleep(LOOK_S / 2)
