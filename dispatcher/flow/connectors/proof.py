"""Facts about a value that a user has shown to work, and the account that it has to stay with."""

from __future__ import annotations

from dataclasses import dataclass, replace

from dispatcher.errors import Unprocessable
from dispatcher.flow.connectors.renewing import renewable
from dispatcher.model.authorization import Grant
from dispatcher.model.connector import AccountConnector, RemoteAccount
from dispatcher.store.secrets.sealing import Sealer


@dataclass(frozen=True, slots=True)
class Proof:
    """``account``: whose it is, where the other side said so. ``grant``: the tokens that the AuthValue is one of."""

    account: RemoteAccount | None = None
    grant: Grant | None = None
    settled: bool = False
    """True once something is installed with it: then no other account takes the place of the one that is known."""

    def of(self, before: AccountConnector, after: AccountConnector, sealer: Sealer) -> AccountConnector:
        """``after`` with what is known of it. ``Unprocessable`` for another account's."""
        known = before.remote_account if self.settled else after.remote_account
        if self.account and self.settled and self.account.is_another_than(known):
            raise Unprocessable.of("another_account", _refusal(known, self.account), "AuthValue")
        proven = replace(after, remote_account=self.account or known)
        return renewable(proven, self.grant, sealer) if self.grant else proven


def _refusal(known: RemoteAccount | None, told: RemoteAccount) -> str:
    connected = known.name if known else ""
    return (
        f"These credentials are of the account {told.name}, but {connected} is connected here, and stays so: use those "
        f"of {connected}, or ask whoever runs this marketplace to connect another account."
    )
