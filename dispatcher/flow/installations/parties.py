"""The parties of an installation beside the product host: its account, and the connectors there. Reads only."""

from __future__ import annotations

from collections.abc import Sequence

from dispatcher.flow.installations.creation import Connection


class Strangers:
    """Where no accounts are kept: nobody has a name or a connector."""

    async def company_name(self, account_id: str) -> str | None:
        return None

    async def partner_connections(self, account_id: str) -> Sequence[Connection]:
        return ()
