"""The viewer of the console: rights, names within reach, and the frame of each page. Admits nobody."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from dispatcher.api.services import Services
from dispatcher.api.verdict_watch import VerdictWatch
from dispatcher.console.frame.navigation import entries_for
from dispatcher.console.frame.rendering import page
from dispatcher.console.frame.scopes import SEES_INTEGRATIONS
from dispatcher.model.access import Caller, Scope
from dispatcher.model.verdict import Verdict
from dispatcher.pages.forms import FormToken
from dispatcher.policy.verdict import narrowed


@dataclass(frozen=True, slots=True)
class Viewer:
    """Somebody who looks, and the moment (epoch ms)."""

    caller: Caller
    services: Services
    watch: VerdictWatch
    now_ms: int
    session_id: str = ""
    name: str = ""
    """Of a person; empty for an API client."""

    @property
    def sees_overview(self) -> bool:
        """True for clients without an account; one of a vendor sees what is the vendor's."""
        return self.caller.may(Scope.OPS_READ) and self.caller.account_id is None

    @property
    def sees_queue(self) -> bool:
        """True for clients without an account and a vendor: the whole queue shows every integration."""
        return self.sees_overview and self.caller.vendor_id is None

    @property
    def sees_events(self) -> bool:
        return self.caller.may(Scope.EVENTS_READ)

    @property
    def sees_integrations(self) -> bool:
        return self.caller.may(*SEES_INTEGRATIONS)

    @property
    def bound(self) -> bool:
        """True for clients of one account, one vendor or some marketplaces."""
        caller = self.caller
        return any(one is not None for one in (caller.account_id, caller.vendor_id, caller.marketplaces))

    def may_see(self, scopes: Sequence[Scope]) -> bool:
        return self.caller.may(*scopes)

    @property
    def sees_anything(self) -> bool:
        return self.sees_overview or self.sees_events

    @property
    def operates(self) -> bool:
        """True for those who pause, resume, deliver now and acknowledge."""
        return self.caller.may(Scope.OPS_WRITE)

    @property
    def environment(self) -> str:
        """The deployment that this is, so that nobody takes one for another."""
        return urlsplit(self.services.deployment.base_url).netloc

    @property
    def new_dead_letters(self) -> int:
        """Dead letters that nobody acknowledged, as of the last verdict."""
        said = self.watch.remembered() if self.sees_overview else None
        issues = self.within(said).issues if said else ()
        return sum(issue.count for issue in issues if not issue.acknowledged)

    def within(self, said: Verdict) -> Verdict:
        """The part of a verdict that is the viewer's affair."""
        return narrowed(said, self.caller.vendor_id) if self.caller.vendor_id is not None else said

    @property
    def token(self) -> str:
        """The text that binds a form to this session."""
        token = FormToken.of(self.session_id, "", user=self.caller.client_id, account="")
        return token.sealed(self.services.sealer)

    async def names(self, integration_ids: Iterable[str]) -> dict[str, str]:
        """Names of the integrations that exist, can be read, and are within reach."""
        if not self.caller.may(Scope.INTEGRATIONS_READ):
            return {}
        found = (await self.services.cache.load(integrations=integration_ids)).integrations
        return {one.id: one.name for one in found.values() if self.caller.reaches(one.vendor_id)}

    def page(self, template: str, status: int = 200, **values: Any) -> web.Response:
        """The template within the console's frame."""
        frame = {
            "viewer": self,
            "client_id": self.caller.client_id,
            "now_ms": self.now_ms,
            "entries": entries_for(self),
        }
        return page(template, frame | values, status)
