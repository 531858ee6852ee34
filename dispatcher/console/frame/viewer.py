"""The viewer of the console: names within reach, and the frame of each page. Admits nobody."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from dispatcher.api.services import Services
from dispatcher.api.watch.verdict import VerdictWatch
from dispatcher.console.frame.navigation import entries_for
from dispatcher.console.frame.rendering import page
from dispatcher.console.frame.rights import Rights
from dispatcher.model.access import Scope
from dispatcher.model.verdict import Verdict
from dispatcher.pages.forms import FormToken
from dispatcher.policy.verdict import narrowed


@dataclass(frozen=True, slots=True)
class Viewer(Rights):
    """Somebody who looks, and the moment (epoch ms)."""

    services: Services
    watch: VerdictWatch
    now_ms: int
    session_id: str = ""
    name: str = ""
    """Of a person; empty for an API client."""

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
