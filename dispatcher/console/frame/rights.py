"""Rights of whoever looks at the console: the pages that a client may see, and whether it may act. Asks nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dispatcher.console.frame.scopes import SEES_INTEGRATIONS
from dispatcher.model.access import Caller, Scope


@dataclass(frozen=True, slots=True)
class Rights:
    """All of them follow from the client."""

    caller: Caller

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
