"""The context of resolvers: the caller, the services, and who starts ping tests."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from functools import partial

import strawberry
from aiohttp import web

from dispatcher.api.auditing import author_of, written_down
from dispatcher.api.graphql.bounds.allowance import QUERY_TURNS, Allowance
from dispatcher.api.http.overload.turns import Turn, share_of
from dispatcher.api.http.route import CALLER
from dispatcher.api.services import CREDENTIAL_TRIALS, PING_STARTER, SERVICES, Services
from dispatcher.flow.pings.request import PingStarter
from dispatcher.flow.publishing.desk import IntegrationDesk
from dispatcher.model.access import Caller
from dispatcher.model.audit_entry import Action, Author
from dispatcher.model.operational import OperationalEvent, OperationalKind
from dispatcher.store.audit_log.log import Noting
from dispatcher.store.definitions.editing import Definitions
from dispatcher.store.definitions.pings.trials import Trials


@dataclass(slots=True)
class Doing:
    """The mutation that is being run; those of one request run one after the other (GraphQL §6.2.2)."""

    mutation: str | None = None


@dataclass(frozen=True, slots=True)
class GraphContext:
    """One per request. ``now_ms`` is the moment the request came in."""

    services: Services
    caller: Caller
    pings: PingStarter
    trials: Trials
    now_ms: int
    author: Author
    allowance: Allowance
    turn: Turn
    """To be ended by whoever waits for a worker."""
    operation_name: str | None = None
    """As the caller gave it, to choose among several operations."""
    doing: Doing = field(default_factory=Doing)

    @property
    def definitions(self) -> Definitions:
        """Those that exist for the caller; what a mutation changes in them is in the audit log."""
        within_reach = self.services.definitions.of_vendor(self.caller.vendor_id).counted(self.allowance.spend)
        if self.doing.mutation is None:
            return within_reach
        return within_reach.noted(Noting(self.services.audit, self.author, self.doing.mutation, self.now_ms))

    def noted(self, integration_id: str) -> AbstractAsyncContextManager[None]:
        """Around what a mutation does with an integration without changing it."""
        name = self.doing.mutation or "mutation"
        action = Action(self.author, name, "integration", integration_id, self.now_ms)
        return written_down(self.services.audit, action)

    def notify(self, kind: OperationalKind, integration_id: str, **detail: str | int | None) -> None:
        """Notify operators, where they listen."""
        self.services.notify(OperationalEvent(kind, integration_id, self.now_ms, detail=detail))

    @property
    def desk(self) -> IntegrationDesk:
        services = self.services
        return IntegrationDesk(
            self.definitions,
            services.editor,
            services.queue,
            services.notify,
            self.caller.client_id,
            self.now_ms,
        )


Info = strawberry.Info[GraphContext, None]


def context_of(request: web.Request, turn: Turn, operation_name: str | None) -> GraphContext:
    """``turn``: the one that the request has."""
    services, caller = request.app[SERVICES], request[CALLER]
    large = partial(request.app[QUERY_TURNS].begin, share_of(caller), task=asyncio.current_task())
    return GraphContext(
        services,
        caller,
        request.app[PING_STARTER],
        request.app[CREDENTIAL_TRIALS],
        services.now_ms(),
        author_of(request),
        Allowance(large),
        turn,
        operation_name,
    )
