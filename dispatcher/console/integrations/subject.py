"""The integration that a page is about, as its viewer sees it: rights over it, and the frame that its pages share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from dispatcher.api.auditing import noting
from dispatcher.console.frame.navigation import HOME
from dispatcher.console.frame.screen import Act, View
from dispatcher.console.frame.sentences import said
from dispatcher.console.frame.viewer import Viewer
from dispatcher.errors import Refused
from dispatcher.flow.publishing.desk import IntegrationDesk
from dispatcher.model.access import Caller, Scope
from dispatcher.model.integration import Integration
from dispatcher.store.definitions.editing import Definitions

ALL = f"{HOME}/integrations"
ONE = f"{ALL}/{{integrationId}}"
READ = (Scope.INTEGRATIONS_READ, Scope.INTEGRATIONS_WRITE)
WRITE = (Scope.INTEGRATIONS_WRITE,)
TRY = (Scope.OPS_WRITE, Scope.INTEGRATIONS_WRITE)
"""Of ping tests and suspended URLs."""

TABS = (
    ("", "Overview"),
    ("/edit", "Definition"),
    ("/urls", "URLs"),
    ("/credentials", "Credentials"),
    ("/keys", "Keys"),
    ("/revisions", "Revisions"),
    ("/pings", "Pings"),
    ("/limits", "Limits"),
)
READ_ONLY = (
    "It is linked to more than one product: pages show it, and only the API and GraphQL change it. "
    "Unlink all products but one to change it here."
)


@dataclass(frozen=True, slots=True)
class Subject:
    integration: Integration
    viewer: Viewer

    @property
    def path(self) -> str:
        return f"{ALL}/{self.integration.id}"

    @property
    def edits(self) -> bool:
        return self.viewer.caller.may(*WRITE)

    @property
    def saves(self) -> bool:
        """True where forms of the definition can be sent."""
        return self.edits and not self.integration.ui_read_only

    @property
    def tries(self) -> bool:
        return self.viewer.caller.may(*TRY)

    @property
    def definitions(self) -> Definitions:
        return definitions_of(self.viewer)

    def noted(self, request: web.Request, action: str) -> Definitions:
        """Definitions in which each change is in the audit log, under the name that GraphQL has for it."""
        return self.definitions.noted(noting(request, action))

    def desk(self, request: web.Request, action: str) -> IntegrationDesk:
        services, viewer = self.viewer.services, self.viewer
        definitions, by = self.noted(request, action), viewer.caller.client_id
        return IntegrationDesk(definitions, services.editor, services.queue, services.notify, by, viewer.now_ms)

    def refuse_read_only(self) -> None:
        if self.integration.ui_read_only:
            raise Refused.of("read_only", READ_ONLY)

    def page(self, request: web.Request, tab: str, status: int = 200, **values: Any) -> web.Response:
        frame = {"subject": self, "integration": self.integration, "tabs": TABS, "tab": tab, "said": said(request)}
        name = (tab or "/overview").removeprefix("/")
        return self.viewer.page(f"integrations/{name}.html", status, **frame, **values)


Show = Callable[[web.Request, Subject], Awaitable[web.StreamResponse]]
Do = Callable[[web.Request, Subject, dict[str, str]], Awaitable[web.StreamResponse]]


def showing(show: Show) -> View:
    """The view of the integration that the address names."""

    async def view(request: web.Request, viewer: Viewer) -> web.StreamResponse:
        return await show(request, await _subject(request, viewer))

    return view


def doing(do: Do) -> Act:
    """The action on the integration that the address names."""

    async def act(request: web.Request, viewer: Viewer, fields: dict[str, str]) -> web.StreamResponse:
        return await do(request, await _subject(request, viewer), fields)

    return act


def definitions_of(viewer: Viewer) -> Definitions:
    """Those that exist for the viewer. Raises ``Refused`` for clients of some marketplaces, as the API does."""
    refuse_bound_to_marketplaces(viewer.caller)
    return viewer.services.definitions.of_vendor(viewer.caller.vendor_id)


def refuse_bound_to_marketplaces(caller: Caller) -> None:
    if caller.marketplaces is not None and caller.account_id is None:
        raise Refused.of("marketplace_restricted", "This client is bound to its marketplaces.")


async def _subject(request: web.Request, viewer: Viewer) -> Subject:
    return Subject(await definitions_of(viewer).needed(request.match_info["integrationId"]), viewer)
