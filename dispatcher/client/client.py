"""The calls of the API, one method each. Use as ``async with Client(url, client_id, client_secret) as client``."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Mapping
from types import TracebackType
from typing import Any, Self, cast
from urllib.parse import quote

import aiohttp

from dispatcher.client.answers import (
    AcceptedJson,
    AcknowledgementJson,
    AttemptJson,
    ChangeJson,
    CountJson,
    EventJson,
    ExplanationJson,
    ForwardedJson,
    NewEvent,
    StatusJson,
)
from dispatcher.client.assertions import KeyCredentials
from dispatcher.client.definitions import Definitions
from dispatcher.client.emitter import BOUNDS, SOURCE, Bounds, Emitter
from dispatcher.client.errors import api_error
from dispatcher.client.following import Follower, Notice
from dispatcher.client.jobs import Jobs
from dispatcher.client.lanes import Lanes
from dispatcher.client.paging import pages
from dispatcher.client.resources import Resources
from dispatcher.client.tokens import Credentials, Tokens, read_json
from dispatcher.client.transport import Call, Transport

TIMEOUT_S = 40.0
"""For one whole request; the longest, ``?wait=30``, fits in."""
MAX_WAIT_S = 30

Conditions = Mapping[str, str]
"""Query parameters of ``GET /v1/events``, in its own names."""


class Client:
    """Calls raise ``ApiError`` when refused and ``Unreachable`` when nobody answered in time."""

    def __init__(
        self,
        base_url: str,
        client_id: str,
        client_secret: str | None = None,
        *,
        private_key: str | None = None,
        audience: str | None = None,
    ) -> None:
        """``private_key`` (PEM) in place of a secret proves a client that was made with its public part.

        ``audience``: the token endpoint's URL as the API names it, where it is called at another one. ``ValueError``.
        """
        self.base_url = base_url.rstrip("/")
        self._credentials = _credentials(client_id, client_secret, private_key, audience)
        self._session: aiohttp.ClientSession | None = None
        self._transport: Transport | None = None

    async def __aenter__(self) -> Self:
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S, sock_connect=5.0)
        self._session = aiohttp.ClientSession(timeout=timeout)
        tokens = Tokens(self._session, self.base_url, self._credentials)
        self._transport = Transport(self._session, self.base_url, tokens)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def emit(self, event: NewEvent | Mapping[str, Any], idempotency_key: str | None = None) -> AcceptedJson:
        """Accept one event. Always sent with a key, so that it is accepted once however often it is repeated."""
        headers = {"Idempotency-Key": idempotency_key or str(uuid.uuid4())}
        answer = await self._call(Call("POST", "/v1/events", body=dict(event), headers=headers))
        return cast("AcceptedJson", {"replayed": False} | answer)

    def emitter(self, source: str = SOURCE, bounds: Bounds = BOUNDS) -> Emitter:
        """``async with client.emitter() as emitter``: many events, in batches, with back-pressure."""
        return Emitter(self._call, source, bounds)

    async def event(self, event_id: str, wait_s: int = 0) -> EventJson:
        """With ``wait_s`` (at most 30) as soon as it is terminal, or as it is after that time."""
        query = {"wait": min(wait_s, MAX_WAIT_S)} if wait_s else None
        return cast("EventJson", await self._call(Call("GET", f"/v1/events/{_segment(event_id)}", query)))

    def events(self, conditions: Conditions, limit: int | None = None) -> AsyncIterator[EventJson]:
        """Newest first, page after page; ``limit`` None = all."""
        return pages(self._call, "/v1/events", conditions, limit)

    async def notification(self, event_id: str) -> dict[str, Any]:
        """The event as its product host reads it: what was sent, beside what became of it."""
        call = Call("GET", f"/api/integration/v1/events/{_segment(event_id)}")
        return cast("dict[str, Any]", await self._call(call))

    async def attempts(self, event_id: str) -> list[AttemptJson]:
        return cast("list[AttemptJson]", await self._call(Call("GET", f"/v1/events/{_segment(event_id)}/attempts")))

    async def explain(self, event_id: str) -> ExplanationJson:
        return cast("ExplanationJson", await self._call(Call("GET", f"/v1/events/{_segment(event_id)}/explain")))

    async def redeliver(self, event_id: str) -> EventJson:
        return cast("EventJson", await self._act(event_id, "redeliver"))

    async def resolve(self, event_id: str) -> EventJson:
        return cast("EventJson", await self._act(event_id, "resolve"))

    async def figures(self, what: str, conditions: Mapping[str, str]) -> dict[str, Any]:
        """Figures of the past: ``series``, ``percentiles`` or ``integrations``."""
        return cast("dict[str, Any]", await self._call(Call("GET", f"/v1/metrics/{_segment(what)}", dict(conditions))))

    @property
    def definitions(self) -> Definitions:
        """The work of publishers on integrations."""
        return Definitions(self._call)

    def resources(self, collection: str) -> Resources:
        """``marketplaces``, ``connector_templates`` or ``products``."""
        return Resources(self._call, f"/v1/{collection.replace('_', '-')}")

    @property
    def lanes(self) -> Lanes:
        """Pausing, resuming and suspended URLs of integrations."""
        return Lanes(self._call)

    @property
    def jobs(self) -> Jobs:
        """Redeliver, deliver now or resolve all that a filter finds."""
        return Jobs(self._call)

    async def queue(self, lanes: int | None = None) -> dict[str, Any]:
        """The queue at this moment, with so many of its busiest lanes."""
        query = None if lanes is None else {"lanes": lanes}
        return cast("dict[str, Any]", await self._call(Call("GET", "/v1/queue", query)))

    async def graphql(self, query: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """``data`` of the answer. GraphQL errors are raised as ApiError; user errors are the caller's to read."""
        body = {"query": query, "variables": dict(variables or {})}
        answer = await self._call(Call("POST", "/graphql", body=body, safe=False))
        if answer.get("errors"):
            raise api_error(200, answer, None)
        return cast("dict[str, Any]", answer["data"])

    async def status(self) -> StatusJson:
        """The verdict, also the last one known while Redis is away."""
        return cast("StatusJson", await self._call(Call("GET", "/v1/status", takes=503)))

    async def away_since(self) -> str | None:
        """The time since which Redis is away, as the API tells everybody; None = it is not, or nobody answers."""
        session = self._connected().session
        try:
            async with session.get(f"{self.base_url}/readyz", allow_redirects=False) as answer:
                said = await read_json(answer)
        except (aiohttp.ClientError, OSError):
            return None
        since = said.get("since") if isinstance(said, dict) and said.get("redis") == "away" else None
        return since if isinstance(since, str) else None

    async def acknowledge(self, problem_id: str) -> AcknowledgementJson:
        """Say that somebody knows of a problem of the verdict: it wakes nobody until it has ended."""
        path = f"/v1/status/problems/{quote(problem_id, safe='')}/acknowledge"
        return cast("AcknowledgementJson", await self._call(Call("POST", path)))

    def changes(self, conditions: Conditions, notice: Notice) -> AsyncIterator[ChangeJson]:
        """Status changes from now on, across lost connections, which ``notice`` is called with."""
        return self.follow(conditions, notice).changes()

    def follow(self, conditions: Conditions, notice: Notice, position: str = "") -> Follower:
        """The same, from the ``position`` on that an earlier follower came to."""
        return Follower(self._connected(), dict(conditions), notice, position)

    async def answers(self, path: str) -> int:
        """The status of a public page."""
        session = self._connected().session
        async with session.get(self.base_url + path, allow_redirects=False) as answer:
            return answer.status

    async def deliver_now(self, event_id: str) -> ForwardedJson:
        """Bring a RETRYING event's next attempt forward; pauses, rates and open circuits still hold."""
        return cast("ForwardedJson", await self._act(event_id, "deliver-now"))

    async def expunge(self, event_id: str) -> None:
        """Forget the content of an event that has ended, and what hosts answered."""
        await self._call(Call("DELETE", f"/v1/events/{_segment(event_id)}/payload"))

    async def count(self, conditions: Conditions) -> CountJson:
        return cast("CountJson", await self._call(Call("GET", "/v1/events/count", dict(conditions))))

    async def _act(self, event_id: str, what: str) -> Any:
        return await self._call(Call("POST", f"/v1/events/{_segment(event_id)}/{what}", safe=False))

    async def _call(self, call: Call) -> Any:
        return await self._connected().call(call)

    def _connected(self) -> Transport:
        if self._transport is None:
            raise RuntimeError("use `async with Client(…)`")
        return self._transport


def _credentials(
    client_id: str, secret: str | None, private_key: str | None, audience: str | None
) -> Credentials | KeyCredentials:
    if (secret is None) == (private_key is None):
        raise ValueError("give either client_secret or private_key")
    if private_key is not None:
        return KeyCredentials.of(client_id, private_key, audience)
    return Credentials(client_id, secret or "")


def _segment(text: str) -> str:
    """``text`` as one part of a path, whatever it holds."""
    return quote(text, safe="")
